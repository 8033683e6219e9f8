import { Fields, WireError, type FieldsInit } from '@outrigger/wire'
import { callerOf } from './caller.ts'
import type { AppRequest, AppResponse, HttpAppChannel } from './channel.ts'
import { Gate } from './gate.ts'
import { MemoryBody, wholeBody } from './memory-body.ts'

/** What an application inside this process answers. */
export interface InProcessResponse {
  /** Default 200. */
  readonly status?: number
  readonly fields?: FieldsInit
  readonly body?: Uint8Array | string
}

/** An application inside this process: a function from requests to responses, as over HTTP. No response is an empty one. */
export type InProcessApp = (request: {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly fields: Fields
  readonly body: Uint8Array
  readonly signal: AbortSignal | undefined
}) => InProcessResponse | void | Promise<InProcessResponse | void>

export interface InProcessOptions {
  /** Calls under way at once; absent: no limit. */
  readonly maxConcurrency?: number | undefined
  /** Calls that may wait for their turn; more fail with an AppBusyError. Default 1000. */
  readonly maxWaiting?: number | undefined
}

/** Reaches an application that is a function. What it throws is answered as status 500, as over HTTP. */
export function createInProcessChannel(app: InProcessApp, options: InProcessOptions = {}): HttpAppChannel {
  const { maxConcurrency, maxWaiting = 1000 } = options
  const limit = maxConcurrency === undefined ? undefined : new Gate(maxConcurrency, maxWaiting)
  return {
    kind: 'http',
    address: 'in-process',
    place: limit && ((source, signal) => limit.enter(source, signal, true)),
    async call(request: AppRequest): Promise<AppResponse> {
      const gate = request.unlimited === true ? undefined : limit
      const place =
        request.place ?? (await gate?.enter(callerOf(request.fields), request.signal, request.patient))
      const answering = answer(app, request).finally(() => place?.leave())
      const { status = 200, fields = [], body } = await untilAborted(answering, request.signal)
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
      return { status, fields: Fields.from(fields), body: new MemoryBody(bytes) }
    },
    close() {},
  }
}

async function answer(app: InProcessApp, request: AppRequest): Promise<InProcessResponse> {
  const { method, path, signal } = request
  const body = await wholeBody(request.body)
  if (signal?.aborted) return {}
  try {
    return (await app({ method, path, fields: Fields.from(request.fields ?? []), body, signal })) ?? {}
  } catch (error) {
    return { status: 500, body: error instanceof Error ? error.message : String(error) }
  }
}

/** An application that does not listen to its signal holds up nobody. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const giveUp = (): void =>
      reject(
        new WireError('ABORTED', 'the call was given up before the application answered', {
          cause: signal.reason,
        }),
      )
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
