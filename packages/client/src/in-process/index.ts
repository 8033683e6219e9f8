/** The client for Node.js applications, without a sidecar: straight to a runtime of the same process. */
import { clientOver, type Client } from '../client.ts'
import { bad, checkOptions, inProcessRules } from '../options.ts'
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

/** Makes a client of a runtime in this process. `shutdown` stops the runtime, `close` does not. @throws OutriggerError ERR_CLIENT_ARGUMENT */
export function createClient(options: InProcessOptions): Client {
  checkOptions(options, inProcessRules)
  const { runtime, maxBodyBytes = 16 * 1024 * 1024 } = options
  if (runtime === undefined) throw bad('runtime', 'missing', inProcessRules.runtime[1])
  if (!(maxBodyBytes > 0)) throw bad('maxBodyBytes', maxBodyBytes, inProcessRules.maxBodyBytes[1])
  return clientOver(inProcessTransport(runtime, maxBodyBytes))
}
