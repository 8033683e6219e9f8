/** The client for Node.js applications, without a sidecar: straight to a runtime of the same process. */
import { clientOver, type Client } from '../client.ts'
import type { InProcessRuntime } from './runtime.ts'
import { inProcessTransport } from './transport.ts'

export * from '../types.ts'
export { isOutriggerError, OutriggerError } from '../error.ts'
export type { InProcessRuntime } from './runtime.ts'

export interface InProcessOptions {
  /** Of `@outrigger/runtime`; it must be started before the first call. */
  readonly runtime: InProcessRuntime
  /** Bytes of an answer that comes as a stream and is held whole, and of one of `invoke`. Default 16 MiB. */
  readonly maxBodyBytes?: number | undefined
}

/** Makes a client of a runtime in this process. `shutdown` stops the runtime, `close` does not. */
export function createClient({ runtime, maxBodyBytes = 16 * 1024 * 1024 }: InProcessOptions): Client {
  return clientOver(inProcessTransport(runtime, maxBodyBytes))
}
