import type { Origin } from '../origin.ts'
import type { ClientCall } from './client-call.ts'
import { ClientConnection } from './client-connection.ts'
import type { ClientRules } from './client-rules.ts'

/** The connections to one origin. */
export class ClientPool {
  /** The origin as the caller writes it. */
  readonly name: string
  readonly origin: Origin
  readonly rules: ClientRules
  private readonly connections = new Set<ClientConnection>()
  /** The one that was used last stands at the end and is used next: the others can grow old. */
  private readonly free: ClientConnection[] = []
  private readonly waiting = new Set<ClientCall>()
  private closed = false

  constructor(name: string, origin: Origin, rules: ClientRules) {
    this.name = name
    this.origin = origin
    this.rules = rules
  }

  get size(): number {
    return this.connections.size
  }

  get idle(): number {
    return this.free.length
  }

  get unused(): boolean {
    return this.connections.size === 0 && this.waiting.size === 0
  }

  /** Gives the call a connection as soon as there is one. */
  acquire(call: ClientCall): void {
    for (;;) {
      const connection = this.free.pop()
      if (connection === undefined) break
      if (connection.usable) return connection.take(call)
      connection.destroy()
    }
    if (this.closed) call.broke('RESET', 'the client was closed', {})
    else if (this.connections.size < this.rules.maxConnections) this.open(call)
    else this.waiting.add(call)
  }

  /** The call needs no connection any more; one that is being made for it serves the next. */
  forget(call: ClientCall): void {
    this.waiting.delete(call)
    for (const connection of this.connections) connection.forsake(call)
  }

  /** @returns whether the connection is kept */
  release(connection: ClientConnection): boolean {
    const next = this.nextWaiting()
    if (next !== undefined) {
      connection.take(next)
      return true
    }
    if (this.closed || this.free.length >= this.rules.maxIdleConnections) return false
    this.free.push(connection)
    return true
  }

  /** A free connection is free no more. */
  withdraw(connection: ClientConnection): void {
    const index = this.free.indexOf(connection)
    if (index >= 0) this.free.splice(index, 1)
  }

  lost(connection: ClientConnection): void {
    if (!this.connections.delete(connection)) return
    this.withdraw(connection)
    const next = this.nextWaiting()
    if (next !== undefined) this.open(next)
  }

  close(): void {
    this.closed = true
    for (const call of this.waiting) call.broke('RESET', 'the client was closed', {})
    this.waiting.clear()
    for (const connection of this.connections) connection.cut()
  }

  private open(call: ClientCall): void {
    this.connections.add(new ClientConnection(this, call))
  }

  private nextWaiting(): ClientCall | undefined {
    for (const call of this.waiting) {
      this.waiting.delete(call)
      return call
    }
    return undefined
  }
}
