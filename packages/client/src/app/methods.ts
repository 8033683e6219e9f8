import { textOf } from '../values.ts'
import { answerOf } from './reply.ts'
import { text, type AppAnswer, type AppRequest } from './request.ts'
import { routePath, type Routes } from './routes.ts'
import type { AppLogger } from './subscriptions.ts'

/** An invocation by another application. */
export class Invocation {
  readonly method: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly bytes: Uint8Array
  readonly signal: AbortSignal | undefined

  constructor({ method, query, headers, body, signal }: AppRequest) {
    this.method = method
    this.query = new URLSearchParams(query)
    this.headers = headers
    this.bytes = body
    this.signal = signal
  }

  /** Id of the application that calls. */
  get callerAppId(): string | undefined {
    return this.headers.get('dapr-caller-app-id')
  }

  text(): string {
    return textOf(this.bytes)
  }

  /** `undefined` when there is no body. @throws SyntaxError when it is no JSON */
  json<T = unknown>(): T | undefined {
    return this.bytes.length === 0 ? undefined : (JSON.parse(this.text()) as T)
  }
}

/** Answers an invocation: nothing is 204, a `Reply` is itself, all else JSON. What it throws is logged and becomes 500. */
export type MethodHandler = (invocation: Invocation) => unknown

export interface MethodOptions {
  /** Methods of HTTP. Default: GET and POST. */
  readonly methods?: readonly string[] | undefined
}

export function addMethod(
  routes: Routes,
  logger: AppLogger,
  name: string,
  handler: MethodHandler,
  options: MethodOptions,
): void {
  const path = routePath(name, `method ${name}`)
  for (const method of options.methods ?? ['GET', 'POST'])
    routes.add({ method: method.toUpperCase(), path, below: false, run })

  async function run(request: AppRequest): Promise<AppAnswer> {
    try {
      return answerOf(await handler(new Invocation(request)))
    } catch (error) {
      logger.error('a handler of invocations failed', { method: name, error })
      return text(500, 'the handler failed; the log of the application says why')
    }
  }
}
