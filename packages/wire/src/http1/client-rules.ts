import type { Socket } from 'node:net'
import type { Origin } from '../origin.ts'
import type { ClientTimeouts } from '../types.ts'
import type { Watch } from '../watch.ts'
import type { SectionLimits } from './field-section.ts'

/** What all connections and calls of one client share. */
export interface ClientRules extends SectionLimits {
  readonly watch: Watch
  readonly maxBodyBytes: number
  readonly maxConnections: number
  readonly maxIdleConnections: number
  readonly idleTimeoutMs: number
  readonly timeouts: ClientTimeouts
  /** Begins to connect. */
  connect(origin: Origin): Socket
  /** A call is over. */
  done(): void
}
