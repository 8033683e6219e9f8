import type { X509Certificate } from 'node:crypto'
import { received } from '../bulk.ts'
import type { Socket } from 'node:net'
import { WireError } from '../error.ts'
import type { FieldsInit } from '../fields.ts'
import { peerCertificate } from '../tls.ts'
import type { HandedOver } from '../types.ts'
import type { Watched } from '../watch.ts'
import { BodyReader } from './body-reader.ts'
import type { BodyCarrier } from './incoming-body.ts'
import { clientGone, IncomingRequest } from './incoming-request.ts'
import { OutgoingResponse } from './outgoing-response.ts'
import { Output } from './output.ts'
import { Refusal } from './refusal.ts'
import { RequestHead } from './request-head.ts'
import { drainLimit, lingerMs, maxPipelined } from './server-rules.ts'
import type { ServerRules } from './server-rules.ts'
import { statusLine } from './status.ts'

/** One connection of a server: reads its requests, has them answered one by one, writes the answers. */
export class ServerConnection implements BodyCarrier, Watched {
  readonly socket: Socket
  readonly secure: boolean
  readonly rules: ServerRules
  readonly output: Output
  activeAt = 0
  idleMs: number
  /** Whether the connection stays after the answer that is being given. */
  persistent = true
  private readonly head: RequestHead
  private readonly reader: BodyReader
  private request: IncomingRequest | undefined
  private response: OutgoingResponse | undefined
  /** What was read from the socket and not yet looked at, or only in part. */
  private rest: Buffer | undefined
  /** While input is worked on, output waits for its end. */
  private working = false
  private scheduled = false
  /** The last answer was given: the connection closes when the input at hand was looked at. */
  private closing = false
  /** All is written, and what still comes is thrown away until the client closes. */
  private lingering = false
  private retired = false
  /** A request was answered. */
  private used = false
  private drainBudget = drainLimit
  private certificate: X509Certificate | undefined
  /** Who gets the connection as soon as the input at hand was looked at. */
  private given = false
  private successor: ((handed: HandedOver) => void) | undefined
  private readonly onData = (chunk: Buffer): void => {
    received(chunk.length)
    this.receive(chunk)
  }
  private readonly onDrain = (): void => this.advance()
  private readonly onEnd = (): void => this.ended()

  constructor(socket: Socket, secure: boolean, rules: ServerRules) {
    this.socket = socket
    this.secure = secure
    this.rules = rules
    this.output = new Output(socket, rules.writeIdleTimeoutMs)
    this.head = new RequestHead(rules)
    this.reader = new BodyReader(rules)
    this.idleMs = rules.headerTimeoutMs
    rules.watch.add(this)
    socket.on('data', this.onData)
    socket.on('drain', this.onDrain)
    socket.on('end', this.onEnd)
    socket.on('error', ignore)
    socket.on('close', () => this.closed())
  }

  /** Looked at when somebody asks, once for all requests. */
  get peerCertificate(): X509Certificate | undefined {
    return (this.certificate ??= peerCertificate(this.socket))
  }

  receive(chunk: Buffer): void {
    if (this.lingering) return this.discard(chunk.length)
    if (this.rest === undefined) return this.work(chunk)
    const all = Buffer.concat([this.rest, chunk])
    this.rest = undefined
    this.work(all)
  }

  /**
   * Answers 101 and gives the connection away (RFC 9110, section 7.8). From then on it only waits for the end of
   * the socket, so that the exchange counts as running until then.
   */
  switchTo(
    request: IncomingRequest,
    protocol: string,
    offered: readonly string[],
    fields: FieldsInit | undefined,
  ): Promise<HandedOver> {
    try {
      const { response } = this
      if (this.request !== request || response === undefined) throw clientGone()
      if (!offered.some((name) => name.toLowerCase() === protocol.toLowerCase()))
        throw new WireError('PROTOCOL', `the client did not ask for the protocol "${protocol}"`)
      response.switchTo(protocol, fields)
    } catch (error) {
      return Promise.reject(error as WireError)
    }
    return new Promise((resolve) => {
      this.successor = resolve
      if (!this.working) this.handOver()
    })
  }

  /** Writes at the end of this turn. */
  schedule(): void {
    if (this.scheduled || this.working) return
    this.scheduled = true
    process.nextTick(advance, this)
  }

  /** The fields of an answer that belong to the connection. */
  connectionFields(): string {
    const { request, rules } = this
    // A client that was not told to send its body may or may not send it.
    if (!request!.keepAlive || request!.awaitsContinue || rules.draining || this.retired)
      this.persistent = false
    return rules.date.field + (this.persistent ? rules.keepAliveFields : 'connection: close\r\n')
  }

  /** The response is complete. */
  answered(): void {
    const { request } = this
    this.request = this.response = undefined
    this.used = true
    this.rules.ran()
    if (!this.persistent || this.rules.draining || this.retired) return this.close()
    this.await(this.rules.keepAliveTimeoutMs)
    if (!this.reader.done) {
      this.await(this.rules.bodyIdleTimeoutMs)
      request!.body.discard()
      if (this.drainBudget < 0) return this.close()
    }
    if (this.working) return
    if (this.socket.isPaused()) this.socket.resume()
    if (this.rest === undefined) this.output.flush()
    else this.schedule()
  }

  /** Writes what waits, and goes on with requests that came meanwhile. */
  advance(): void {
    this.scheduled = false
    if (this.given) return
    this.output.flush()
    const { rest } = this
    if (rest === undefined || this.response !== undefined || this.working || this.closing) return
    this.rest = undefined
    if (this.socket.isPaused()) this.socket.resume()
    this.work(rest)
  }

  /** Stops taking requests: closes when there is none. */
  drain(): void {
    if (this.response === undefined && !this.head.begun && this.rest === undefined) this.close()
  }

  /** Takes no request beyond the one that has begun; the first one may be on its way. */
  retire(): void {
    this.retired = true
    if (this.used) this.drain()
  }

  destroy(): void {
    this.socket.destroy()
  }

  bodyWanted(): void {
    const { request } = this
    if (request?.awaitsContinue !== true || this.response?.started !== false) return
    request.awaitsContinue = false
    this.output.append('HTTP/1.1 100 Continue\r\n\r\n', undefined, '')
    this.schedule()
  }

  letBodyFlow(flow: boolean): void {
    if (flow) this.socket.resume()
    else this.socket.pause()
  }

  awaitBody(waiting: boolean): void {
    if (this.response !== undefined) this.await(waiting ? this.rules.bodyIdleTimeoutMs : 0)
  }

  bodyAbandoned(): void {
    this.drainBudget = drainLimit
    this.socket.resume()
  }

  timeOut(): void {
    // A client that still takes its last answer is looked after by the output.
    if (this.socket.writableLength > 0) return this.rules.watch.add(this)
    if (this.head.begun && this.response === undefined && !this.lingering) {
      this.refuse(new Refusal(408, 'the header section took too long'))
      // The client may take its time to read that.
      this.rules.watch.add(this)
      return
    }
    const { bodyIdleTimeoutMs } = this.rules
    if (this.response !== undefined) {
      const message = `nothing of the body came for ${bodyIdleTimeoutMs} ms`
      this.request!.arriving?.fail(new WireError('TIMEOUT', message, { sent: true }))
    }
    this.socket.destroy()
  }

  /** Reads requests from what arrived, as far as they can be answered. */
  private work(bytes: Buffer): void {
    this.working = true
    let at = 0
    try {
      at = this.read(bytes)
    } catch (error) {
      this.working = false
      return this.refuse(error)
    }
    this.working = false
    if (at < bytes.length) this.rest = at === 0 ? bytes : bytes.subarray(at)
    if (this.closing) return this.close()
    if (this.successor !== undefined) return this.handOver()
    this.output.flush()
    if (this.rest === undefined || this.rest.length <= maxPipelined) return
    if (this.response !== undefined || this.socket.writableNeedDrain) this.socket.pause()
  }

  /** @returns how far it came */
  private read(bytes: Buffer): number {
    let at = 0
    for (;;) {
      if (!this.reader.done) {
        at = this.readBody(bytes, at)
        if (!this.reader.done) return at
      }
      if (at === bytes.length || this.closing) return at
      if (this.response !== undefined || this.socket.writableNeedDrain) return at
      const begun = this.head.begun
      const next = this.head.read(bytes, at)
      if (next < 0) {
        if (!begun) this.await(this.rules.headerTimeoutMs)
        return at
      }
      at = this.begin(bytes, next)
    }
  }

  /** A head is complete: has the request answered. */
  private begin(bytes: Buffer, at: number): number {
    const { head, reader } = this
    const request = (this.request = new IncomingRequest(this, head))
    const response = new OutgoingResponse(this, request)
    this.persistent = true
    this.await(0)
    if (head.chunked) reader.beginChunked()
    else if (head.contentLength > 0) reader.beginSized(head.contentLength)
    head.next()
    // What is here of the body already need not be waited for.
    if (!reader.done) at = this.readBody(bytes, at)
    this.response = response
    this.rules.run(request, response)
    return at
  }

  private readBody(bytes: Buffer, at: number): number {
    const { reader, request } = this
    const next = reader.read(bytes, at, request?.arriving ?? unwanted)
    this.activeAt = this.rules.watch.now
    if (request !== undefined && next > at) request.awaitsContinue = false
    if (request === undefined || request.arriving?.abandoned === true) this.discard(next - at)
    if (reader.done) {
      request?.bodyEnded(reader.trailers)
      if (request === undefined) this.await(this.rules.keepAliveTimeoutMs)
    }
    return next
  }

  private handOver(): void {
    const { socket, successor, rest } = this
    this.rest = undefined
    this.given = true
    this.output.release()
    this.rules.watch.delete(this)
    socket.off('data', this.onData).off('drain', this.onDrain).off('end', this.onEnd).pause()
    // As it was before anybody listened: the successor's listener makes it flow.
    ;(socket as { readableFlowing: boolean | null }).readableFlowing = null
    successor!({ socket, head: rest ?? new Uint8Array(0) })
  }

  private discard(bytes: number): void {
    this.drainBudget -= bytes
    if (this.drainBudget >= 0) return
    // An answer must find the connection open, and a reset could overtake one that was given: the client is made to wait.
    if (this.response !== undefined || this.lingering) this.socket.pause()
    else this.close(true)
  }

  /** Answers what breaks the protocol or a limit, and closes the connection. */
  private refuse(error: unknown): void {
    const status = error instanceof Refusal ? error.status : 500
    const { request, response } = this
    this.rules.refused()
    const failure = new WireError('PROTOCOL', `the request is malformed: ${(error as Error).message}`, {
      sent: true,
    })
    request?.arriving?.fail(failure)
    // Behind an answer that has begun there is no place for another one.
    if (response?.started === true) return this.destroy()
    if (response !== undefined) this.forget()
    this.output.append(`${statusLine(status)}connection: close\r\ncontent-length: 0\r\n\r\n`, undefined, '')
    this.close(true)
  }

  /** Closes when all is written. With input unread a reset could overtake the answer: that is read first. */
  private close(linger = false): void {
    this.closing = true
    if (this.working) return
    this.output.flush()
    if (!linger && this.rest === undefined && this.reader.done) return this.socket.destroySoon()
    this.lingering = true
    this.drainBudget = drainLimit
    this.rest = undefined
    this.await(lingerMs)
    this.socket.end()
    this.socket.resume()
  }

  /** The client sends nothing more. Who does not wait for the answer is gone. */
  private ended(): void {
    if (this.response === undefined && this.socket.writableLength > 0) this.socket.end()
    else this.socket.destroy()
  }

  private closed(): void {
    this.rules.watch.delete(this)
    const { request } = this
    if (this.response !== undefined) this.forget()
    request?.arriving?.fail(
      new WireError('RESET', 'the peer went away in the middle of the body', { sent: true }),
    )
    this.output.close(clientGone())
    this.rules.closed(this)
  }

  /** Nobody waits for the answer to the current request any more. */
  private forget(): void {
    const { request, response } = this
    this.request = this.response = undefined
    response!.gone = !response!.ended
    this.rules.ran()
    request!.lose()
  }

  private await(idleMs: number): void {
    this.idleMs = idleMs
    this.activeAt = this.rules.watch.now
  }
}

function advance(connection: ServerConnection): void {
  connection.advance()
}

/** Takes what comes after the answer. */
const unwanted = { push: ignore }

function ignore(): void {}
