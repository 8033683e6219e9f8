import { connect as connectPlain } from 'node:net'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WireError } from '../error.ts'
import type { Origin } from '../origin.ts'
import { reasonOf, type ClientTls } from '../tls.ts'
import type { Call } from './call.ts'
import { ClientConnection } from './client-connection.ts'
import type { ClientRules, ConnectionOwner } from './client-connection.ts'
import type { Ticking } from './turn.ts'

/** How the connections of a pool are made. */
export interface PoolRules extends ClientRules {
  readonly connectMs: number
  readonly maxConnections: number
  /** Replaced when certificates are. */
  tls: ClientTls
}

/**
 * The connections to one origin: one as long as it has room for further streams, more when it has not, a new
 * one when the server sends it away.
 */
export class Pool implements ConnectionOwner, Ticking {
  readonly origin: Origin
  private readonly rules: PoolRules
  /** Connections that take streams, and those that only finish. */
  private readonly open: ClientConnection[] = []
  private readonly all = new Set<ClientConnection>()
  private connecting: Socket | undefined
  private queue: Call[] = []
  private closed = false
  /** Streams to open on a connection before its SETTINGS: the least a server should allow, or what others allowed. */
  private assumedStreams = 100

  constructor(origin: Origin, rules: PoolRules) {
    this.origin = origin
    this.rules = rules
  }

  get size(): number {
    return this.all.size
  }

  /** Whether nothing would be lost with it. */
  get unused(): boolean {
    return this.all.size === 0 && this.connecting === undefined && this.queue.length === 0
  }

  get idle(): number {
    let count = 0
    for (const connection of this.all) if (connection.streams.size === 0) count++
    return count
  }

  send(call: Call): void {
    if (this.queue.length === 0) {
      const connection = this.pick()
      if (connection !== undefined) return call.send(connection)
    }
    this.queue.push(call)
    this.rules.shared.ticker.add(this)
    this.grow()
  }

  /** Calls do not wait for ever. */
  tick(now: number): void {
    for (const call of this.queue) if (!call.settled) call.tickQueued(now)
    this.queue = this.queue.filter((call) => !call.settled)
    if (this.queue.length === 0) this.rules.shared.ticker.delete(this)
  }

  /** Those that stand finish what they have, and get nothing new. */
  retireAll(): void {
    for (const connection of [...this.open]) connection.retire()
  }

  close(): void {
    this.closed = true
    this.rules.shared.ticker.delete(this)
    this.connecting?.destroy()
    this.failQueue(new WireError('ABORTED', 'the client is closed'))
    for (const connection of [...this.all]) connection.destroy()
  }

  room(connection: ClientConnection): void {
    if (connection.settled) this.assumedStreams = Math.min(100, connection.maxStreams)
    while (this.queue.length > 0) {
      const free = this.pick()
      if (free === undefined) break
      const call = this.queue.shift()!
      if (!call.settled) call.send(free)
    }
    this.grow()
  }

  retired(connection: ClientConnection): void {
    const index = this.open.indexOf(connection)
    if (index >= 0) this.open.splice(index, 1)
    this.grow()
  }

  ended(connection: ClientConnection): void {
    this.all.delete(connection)
    this.grow()
  }

  private pick(): ClientConnection | undefined {
    for (const connection of this.open) if (connection.room > 0) return connection
    return undefined
  }

  /** Opens another connection when those that are there, or soon will be, cannot take all that waits. */
  private grow(): void {
    if (this.queue.length === 0 || this.connecting !== undefined || this.closed) return
    if (this.all.size >= this.rules.maxConnections || this.pick() !== undefined) return
    // How many streams it takes will be known in a moment.
    if (this.open.some((connection) => !connection.settled)) return
    this.connect()
  }

  private connect(): void {
    const { origin, rules } = this
    const { options, secure } = origin
    const { tls } = rules
    const socket: Socket = secure
      ? tls.connect(origin, 'h2')
      : connectPlain('socketPath' in options ? { path: options.socketPath } : options)
    this.connecting = socket
    const timer = setTimeout(() => {
      this.failed(
        socket,
        new WireError('TIMEOUT', `no connection from ${origin.authority} within ${rules.connectMs} ms`),
      )
    }, rules.connectMs)
    const failed = (cause?: Error): void => {
      this.failed(
        socket,
        new WireError('CONNECT', `cannot connect to ${origin.authority}: ${reasonOf(cause)}`, { cause }),
      )
    }
    socket.once('error', failed)
    socket.once('close', () => {
      clearTimeout(timer)
      failed()
    })
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      if (this.connecting !== socket) return
      if (secure && (socket as TLSSocket).alpnProtocol !== 'h2') {
        return this.failed(socket, new WireError('CONNECT', `${origin.authority} does not speak HTTP/2`))
      }
      this.connecting = undefined
      if (secure && tls !== rules.tls) {
        // It was begun with other certificates, and other authorities.
        socket.destroy()
        return this.grow()
      }
      socket.removeAllListeners('error')
      const connection = new ClientConnection(socket, rules, this, this.assumedStreams)
      this.all.add(connection)
      this.open.push(connection)
      this.room(connection)
    })
  }

  private failed(socket: Socket, error: WireError): void {
    if (this.connecting !== socket) return
    this.connecting = undefined
    socket.destroy()
    this.failQueue(error)
  }

  private failQueue(error: WireError): void {
    const { queue } = this
    this.queue = []
    for (const call of queue) call.settle(error)
  }
}
