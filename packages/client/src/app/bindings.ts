import { isJsonType } from '../media-type.ts'
import { textOf } from '../values.ts'
import { noContent, text, type AppAnswer, type AppRequest } from './request.ts'
import { answerOf } from './reply.ts'
import { routePath, type Routes } from './routes.ts'
import type { AppLogger } from './subscriptions.ts'

/** What an input binding brings. */
export class BindingEvent {
  readonly name: string
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
  /** Headers of the request: what the binding says of the event, and the trace. Names in lower case. */
  readonly metadata: ReadonlyMap<string, string>
  readonly signal: AbortSignal | undefined

  constructor(name: string, { body, headers, signal }: AppRequest) {
    this.name = name
    this.bytes = body
    this.contentType = headers.get('content-type')
    this.metadata = headers
    this.signal = signal
  }

  text(): string {
    return textOf(this.bytes)
  }

  /** `undefined` when there is no data. @throws SyntaxError when it is no JSON */
  json<T = unknown>(): T | undefined {
    return this.bytes.length === 0 ? undefined : (JSON.parse(this.text()) as T)
  }

  /** The data: parsed when it is called JSON and is, else as text. */
  get data(): unknown {
    if (!isJsonType(this.contentType ?? 'application/json')) return this.text()
    try {
      return this.json()
    } catch {
      return this.text()
    }
  }
}

/**
 * Takes an event. What it returns is the answer to the binding, in JSON; nothing is an empty one. What it throws is
 * logged, and the binding is told that the event was not taken.
 */
export type BindingHandler = (event: BindingEvent) => unknown

export interface BindingOptions {
  /** As in the component's metadata `route`. Default: the name of the binding. */
  readonly route?: string | undefined
}

export function addBinding(
  routes: Routes,
  logger: AppLogger,
  name: string,
  handler: BindingHandler,
  options: BindingOptions,
): void {
  const path = routePath(options.route ?? name, `binding ${name}`)
  // How the sidecar asks whether the binding is wanted.
  routes.add({ method: 'OPTIONS', path, below: false, run: () => noContent })
  routes.add({ method: 'POST', path, below: false, run })

  async function run(request: AppRequest): Promise<AppAnswer> {
    try {
      return answerOf(await handler(new BindingEvent(name, request)))
    } catch (error) {
      logger.error('a handler of a binding failed', { binding: name, error })
      return text(500, 'the handler failed; the log of the application says why')
    }
  }
}
