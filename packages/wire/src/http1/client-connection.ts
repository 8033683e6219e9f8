import type { Socket } from 'node:net'
import { received } from '../bulk.ts'
import { WireError } from '../error.ts'
import { reasonOf } from '../tls.ts'
import type { Watched } from '../watch.ts'
import { BodyReader } from './body-reader.ts'
import type { ClientCall } from './client-call.ts'
import type { ClientPool } from './client-pool.ts'
import type { ClientRules } from './client-rules.ts'
import { IncomingBody } from './incoming-body.ts'
import type { BodyCarrier } from './incoming-body.ts'
import { Output } from './output.ts'
import { Refusal } from './refusal.ts'
import { sendBody } from './send-body.ts'
import { ResponseHead } from './response-head.ts'
import { mayHaveBody } from './status.ts'

/** Informational responses before the final one. */
const maxInformational = 32

/** One connection of a client: sends one request at a time and reads its response. */
export class ClientConnection implements BodyCarrier, Watched {
  readonly output: Output
  activeAt = 0
  /** While it is free: how long it is kept. */
  idleMs = 0
  /** Whether anything of the current request was sent. */
  sent = false
  private readonly pool: ClientPool
  private readonly rules: ClientRules
  private readonly socket: Socket
  private readonly head: ResponseHead
  private readonly reader: BodyReader
  private call: ClientCall | undefined
  private body: IncomingBody | undefined
  private rest: Buffer | undefined
  private connected = false
  private requestSent = false
  private informational = 0
  private cause: Error | undefined

  constructor(pool: ClientPool, call: ClientCall) {
    this.pool = pool
    this.rules = pool.rules
    this.call = call
    this.head = new ResponseHead(pool.rules)
    this.reader = new BodyReader(pool.rules)
    const socket = (this.socket = pool.rules.connect(pool.origin))
    this.output = new Output(socket, 0)
    socket.once(pool.origin.secure ? 'secureConnect' : 'connect', () => this.stands())
    socket.on('data', (chunk: Buffer) => {
      received(chunk.length)
      this.receive(chunk)
    })
    socket.on('end', () => this.ended())
    socket.on('error', (cause) => (this.cause = cause))
    socket.on('close', () => this.closed())
  }

  /** Serves the next call. */
  take(call: ClientCall): void {
    this.idleMs = 0
    this.rules.watch.delete(this)
    this.socket.ref()
    this.call = call
    call.connected(this, true)
  }

  /** The call that this connection was made for is over before it stands. */
  forsake(call: ClientCall): void {
    if (!this.connected && this.call === call) this.destroy()
  }

  send(call: ClientCall): void {
    this.sent = true
    this.requestSent = false
    this.informational = 0
    sendBody(this.output, call, () => {
      this.requestSent = true
    })
  }

  /** Gives the connection up; the call that it carries is not told. */
  destroy(): void {
    this.call = this.body = undefined
    this.rules.watch.delete(this)
    this.socket.destroy()
    this.pool.lost(this)
  }

  cut(): void {
    this.fail('RESET', 'the client was closed', { sent: this.sent })
  }

  /** Whether a request can be sent. */
  get usable(): boolean {
    return this.socket.writable && !this.socket.readableEnded
  }

  timeOut(): void {
    this.destroy()
  }

  bodyWanted(): void {}

  letBodyFlow(flow: boolean): void {
    if (flow) this.socket.resume()
    else this.socket.pause()
  }

  awaitBody(waiting: boolean): void {
    this.call?.awaitBody(waiting)
  }

  /** There is no way to stop a response but to close its connection. */
  bodyAbandoned(): void {
    this.call?.failWith('ABORTED', 'the body was cancelled')
  }

  private stands(): void {
    this.connected = true
    if (this.call === undefined) this.destroy()
    else this.call.connected(this, false)
  }

  private receive(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk])
    this.rest = undefined
    try {
      const at = this.read(bytes)
      if (at === bytes.length) return
      // What nobody asked for cannot be the answer to anything.
      if (this.call === undefined) this.destroy()
      else this.rest = bytes.subarray(at)
    } catch (error) {
      this.refuse(error as Error)
    }
  }

  /** @returns how far it came */
  private read(bytes: Buffer): number {
    let at = 0
    while (this.call !== undefined && at < bytes.length) {
      if (this.body === undefined) {
        const next = this.head.read(bytes, at)
        if (next < 0) return at
        at = next
        if (!this.answered(this.call)) continue
      } else {
        at = this.reader.read(bytes, at, this.body)
        this.call?.stirred()
      }
      if (this.reader.done) this.complete(at === bytes.length)
    }
    return at
  }

  /** A head is complete. @returns whether it is the final one */
  private answered(call: ClientCall): boolean {
    const { head, reader } = this
    const { status } = head
    if (status < 200) {
      if (++this.informational > maxInformational) throw new Refusal(400, 'too many informational responses')
      head.next()
      return false
    }
    let length: number | undefined
    if (call.method === 'HEAD' || !mayHaveBody(status)) reader.beginSized((length = 0))
    else if (head.chunked) reader.beginChunked()
    else if (head.contentLength >= 0) reader.beginSized((length = head.contentLength))
    // Without either the body ends with the connection (RFC 9112, section 6.3).
    else reader.beginUntilClose()
    this.body = new IncomingBody(this, length, this.rules.maxBodyBytes)
    call.answered(head, this.body)
    return true
  }

  /** The response is complete. */
  private complete(exactly: boolean): void {
    const { call, head, reader } = this
    const keepMs = this.keepMs()
    const keep = exactly && this.requestSent && head.keepAlive && keepMs > 0
    this.call = this.body = undefined
    head.next()
    if (this.socket.isPaused()) this.socket.resume()
    if (!keep) this.destroy()
    call!.complete(reader.trailers)
    if (keep && !this.socket.destroyed) this.free(keepMs)
  }

  private free(keepMs: number): void {
    this.sent = false
    this.idleMs = keepMs
    this.rules.watch.add(this)
    this.socket.unref()
    if (!this.pool.release(this)) this.destroy()
  }

  /** A second less than the server keeps it: what is on its way then arrives in time. */
  private keepMs(): number {
    const { keepAliveSeconds } = this.head
    const { idleTimeoutMs } = this.rules
    return keepAliveSeconds === undefined
      ? idleTimeoutMs
      : Math.min(idleTimeoutMs, keepAliveSeconds * 1000 - 1000)
  }

  private refuse(error: Error): void {
    const { name } = this.pool
    const { sent } = this
    if (error instanceof Refusal && error.status === 431) {
      const limit = this.rules.maxHeaderBytes
      this.fail('TOO_LARGE', `the header section of ${name} is too large`, { cause: error, limit, sent })
    } else {
      this.fail('PROTOCOL', `${name} answered with something that is not HTTP: ${error.message}`, {
        cause: error,
        sent,
      })
    }
  }

  private ended(): void {
    if (this.call !== undefined && this.body !== undefined && this.reader.close()) this.complete(false)
    else this.closed()
  }

  private closed(): void {
    const { name } = this.pool
    const { cause, sent } = this
    if (!this.connected) {
      this.fail('CONNECT', `cannot connect to ${name}: ${reasonOf(cause)}`, { cause })
    } else this.fail('RESET', `${name} closed the connection`, { cause, sent })
  }

  private fail(
    code: WireError['code'],
    message: string,
    options: { cause?: unknown; sent?: boolean; limit?: number },
  ): void {
    const { call } = this
    this.destroy()
    this.output.close(new WireError('RESET', message, options))
    call?.broke(code, message, options)
  }
}
