import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { WireError } from '../error.ts'
import { noFields } from '../fields.ts'
import { peerCertificate } from '../tls.ts'
import { Connection } from './connection.ts'
import type { ConnectionLimits } from './inbound.ts'
import {
  CANCEL,
  ConnectionError,
  errorName,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
} from './errors.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeHost } from './exchange.ts'
import { maxStreamId } from './frames/constants.ts'
import { requestProblem } from './header-block.ts'
import type { HeaderBlock } from './header-block.ts'
import type { Shared } from './link.ts'
import { Stream } from './stream.ts'
import type { StreamSink } from './stream.ts'

/** What connections need of their server. */
export interface ServerRules extends ConnectionLimits {
  readonly shared: Shared
  readonly maxTargetBytes: number
  readonly maxBodyBytes: number
  readonly bodyIdleTimeoutMs: number
  readonly keepAliveMs: number
  /** Has a request answered; the promise of an asynchronous handler does not reject. */
  run(exchange: Exchange): Promise<void> | undefined
  /** A handler holds nothing any more. */
  ran(): void
  /** A request was refused before the handler. */
  refused(): void
  closed(connection: ServerConnection): void
}

/** One HTTP/2 connection of a server. */
export class ServerConnection extends Connection implements ExchangeHost {
  readonly secure: boolean
  readonly remoteAddress: string
  readonly maxBodyBytes: number
  readonly bodyIdleTimeoutMs: number
  private certificate: X509Certificate | undefined
  private readonly rules: ServerRules
  /** Handlers that are at work: a stream that was reset still counts (CVE-2023-44487). */
  private running = 0
  private idleSince: number
  /** Answered before their request had ended. */
  private early: Stream[] = []
  /** The peer was told to open no more streams; those beyond are refused. */
  private lastAccepted = maxStreamId
  private drainingSince = -1
  private retired = false
  private readonly done = (): void => {
    this.running--
    this.rules.ran()
    this.idleSince = this.shared.ticker.now
    this.closeIfDrained()
  }

  constructor(socket: Socket, secure: boolean, rules: ServerRules) {
    super(socket, rules.shared, rules, true)
    this.rules = rules
    this.secure = secure
    this.remoteAddress = socket.remoteAddress ?? ''
    this.maxBodyBytes = rules.maxBodyBytes
    this.bodyIdleTimeoutMs = rules.bodyIdleTimeoutMs
    this.idleSince = this.shared.ticker.now
  }

  /** Looked at when somebody asks, once for all requests. */
  get peerCertificate(): X509Certificate | undefined {
    return (this.certificate ??= peerCertificate(this.socket as Socket))
  }

  /** Bytes that were read from the socket before. */
  feed(chunk: Buffer): void {
    if (!this.closing) this.receive(chunk)
  }

  /** Takes no more streams; the connection ends when those that run are complete (section 6.8). */
  drain(): void {
    if (this.drainingSince >= 0 || this.closing || this.gone) return
    this.drainingSince = this.shared.ticker.now
    // Streams that are on their way are still taken, until the peer has answered the PING.
    this.output.goaway(maxStreamId, NO_ERROR, '')
    this.output.ping(false, drainMark, 0)
    this.schedule()
    if (!this.settled) this.close(NO_ERROR, '')
  }

  /** Takes nothing beyond what has begun; the first requests may be on their way. */
  retire(): void {
    this.retired = true
    if (this.settled) this.drain()
  }

  override tick(now: number): void {
    super.tick(now)
    if (this.closing || this.gone) return
    if (this.retired && this.settled) this.drain()
    // A peer that does not answer the PING may not hold the server up.
    if (this.drainingSince >= 0 && now - this.drainingSince > 1_000) this.drained()
    if (this.streams.size === 0 && this.running === 0 && now - this.idleSince > this.rules.keepAliveMs) {
      this.close(NO_ERROR, 'idle')
    }
  }

  override flush(): void {
    if (this.early.length > 0) this.resetEarly()
    super.flush()
  }

  protected override unknownStream(
    id: number,
    block: HeaderBlock,
    endStream: boolean,
    selfish: boolean,
  ): void {
    if (id % 2 === 0) throw new ConnectionError(PROTOCOL_ERROR, 'a client opened an even stream')
    if (id <= this.lastPeerStream) {
      if (this.isForgotten(id)) return
      throw new ConnectionError(STREAM_CLOSED, 'HEADERS on a closed stream')
    }
    this.lastPeerStream = id
    const crowded = Math.max(this.streams.size, this.running) >= this.limits.maxStreams
    if (id > this.lastAccepted || crowded) {
      this.rules.refused()
      return this.refuse(id, REFUSED_STREAM)
    }
    const problem = selfish ? 'a stream depends on itself' : requestProblem(block)
    // A section that is too large may lack fields because of that.
    if (problem !== undefined && !block.tooLarge) {
      this.rules.refused()
      return this.refuse(id, PROTOCOL_ERROR)
    }
    this.open(id, block, endStream)
  }

  protected override section(stream: Stream, block: HeaderBlock, endStream: boolean): void {
    if (!endStream) return this.malformed(stream, 'trailers do not end the stream')
    if (block.hasPseudo) return this.malformed(stream, 'trailers with pseudo-header fields')
    if (block.problem !== undefined) return this.malformed(stream, block.problem)
    if (!block.tooLarge) stream.sink.headers(block, true)
    this.finishRemote(stream)
  }

  protected override isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId > this.lastPeerStream
  }

  protected override resetError(code: number): WireError {
    const why = code === NO_ERROR || code === CANCEL ? '' : `: ${errorName(code)}`
    return new WireError('ABORTED', `the client went away${why}`, { sent: true })
  }

  protected override halfClosed(stream: Stream): void {
    this.early.push(stream)
    if (this.early.length === 1) this.schedule()
  }

  protected override removed(): void {
    this.idleSince = this.shared.ticker.now
    this.closeIfDrained()
  }

  protected override pong(bytes: Buffer, start: number): void {
    if (this.drainingSince >= 0 && bytes.compare(drainMark, 0, 8, start, start + 8) === 0) this.drained()
    else this.countIdle()
  }

  protected override settingsCame(): void {}

  protected override goesAway(): void {
    // The client opens no more streams by itself; what runs is finished.
  }

  protected override broken(cause: Error | undefined): void {
    super.broken(cause)
    this.rules.closed(this)
  }

  private open(id: number, block: HeaderBlock, endStream: boolean): void {
    const stream = new Stream(id, this, this.peer.initialWindow)
    this.streams.set(id, stream)
    const refusal = this.refusal(block)
    if (refusal !== 0) {
      this.rules.refused()
      stream.sink = ignoring
      stream.remoteEnded = endStream
      this.sendHeaders(stream, [':status', String(refusal)], noFields, 0, true)
      return
    }
    stream.expected = block.contentLength
    if (endStream) {
      if (block.contentLength > 0) {
        stream.sink = ignoring
        return this.malformed(stream, 'the body is shorter than its content-length')
      }
      stream.remoteEnded = true
    }
    const exchange = new Exchange(stream, block, this)
    stream.sink = exchange
    this.running++
    const result = this.rules.run(exchange)
    if (result === undefined) exchange.whenOver(this.done)
    else void result.then(this.done)
  }

  /** The status that refuses this request, or 0. */
  private refusal(block: HeaderBlock): number {
    if (block.tooLarge) return 431
    if (block.method === 'CONNECT') return 501
    return block.path!.length > this.rules.maxTargetBytes ? 414 : 0
  }

  /** The answer says all: the rest of the request is not wanted (RFC 9113, section 8.1). */
  private resetEarly(): void {
    const { early } = this
    this.early = []
    for (const stream of early) {
      if (stream.closed || stream.remoteEnded) continue
      const error = new WireError('ABORTED', 'the answer was complete before the request', { sent: true })
      this.fail(stream, NO_ERROR, error)
    }
  }

  private drained(): void {
    if (this.lastAccepted !== maxStreamId) return
    this.lastAccepted = this.lastPeerStream
    if (!this.closeIfDrained()) {
      this.output.goaway(this.lastAccepted, NO_ERROR, '')
      this.schedule()
    }
  }

  private closeIfDrained(): boolean {
    if (this.lastAccepted === maxStreamId || this.streams.size > 0 || this.running > 0) return false
    this.close(NO_ERROR, '')
    return true
  }
}

const drainMark = Buffer.from('draining')

const ignoring: StreamSink = {
  headers() {},
  data() {},
  ended() {},
  failed() {},
  tick() {},
}
