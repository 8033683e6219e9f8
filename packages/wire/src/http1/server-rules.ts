import type { Watch } from '../watch.ts'
import type { DateCache } from './date-cache.ts'
import type { SectionLimits } from './field-section.ts'
import type { IncomingRequest } from './incoming-request.ts'
import type { OutgoingResponse } from './outgoing-response.ts'
import type { ServerConnection } from './server-connection.ts'

/** Bytes of further requests that are kept while one is answered. */
export const maxPipelined = 64 * 1024
/** Bytes of an unwanted request body that are read so that the client sees its answer; more cuts it off. */
export const drainLimit = 1024 * 1024
/** How long a client that is told to go may take. */
export const lingerMs = 2_000

/** What connections need of their server. */
export interface ServerRules extends SectionLimits {
  readonly watch: Watch
  readonly date: DateCache
  readonly maxBodyBytes: number
  readonly headerTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly bodyIdleTimeoutMs: number
  readonly writeIdleTimeoutMs: number
  /** Fields of an answer after which the connection stays. */
  readonly keepAliveFields: string
  /** While true every answer closes its connection. */
  draining: boolean
  run(request: IncomingRequest, response: OutgoingResponse): void
  /** An exchange is over. */
  ran(): void
  /** Something was refused before the handler. */
  refused(): void
  closed(connection: ServerConnection): void
}
