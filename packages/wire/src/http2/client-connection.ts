import type { Duplex } from 'node:stream'
import { WireError } from '../error.ts'
import type { FlatFields } from '../fields.ts'
import { reasonOf } from '../tls.ts'
import { Connection } from './connection.ts'
import type { ConnectionLimits } from './inbound.ts'
import { CANCEL, ConnectionError, errorName, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM } from './errors.ts'
import { maxStreamId } from './frames/constants.ts'
import { responseProblem } from './header-block.ts'
import type { HeaderBlock } from './header-block.ts'
import type { Pseudo } from './header-writer.ts'
import type { Shared } from './link.ts'
import { Stream } from './stream.ts'
import type { StreamSink } from './stream.ts'

/** What connections need of the pool they are in. */
export interface ClientRules extends ConnectionLimits {
  readonly shared: Shared
  /** How long a connection without streams is kept. */
  readonly idleMs: number
}

/** Told of what changes the use of a connection. */
export interface ConnectionOwner {
  /** There may be room for another stream. */
  room(connection: ClientConnection): void
  /** No further streams: it is about to end or has ended. */
  retired(connection: ClientConnection): void
  /** The socket is gone. */
  ended(connection: ClientConnection): void
}

/** One HTTP/2 connection of a client. */
export class ClientConnection extends Connection {
  private readonly rules: ClientRules
  private readonly owner: ConnectionOwner
  private readonly assumed: number
  private nextStream = 1
  private retired = false
  private idleSince: number

  /** `assumed`: how many streams to open before the server has said how many it takes. */
  constructor(socket: Duplex, rules: ClientRules, owner: ConnectionOwner, assumed: number) {
    super(socket, rules.shared, rules, false)
    this.rules = rules
    this.owner = owner
    this.assumed = assumed
    this.idleSince = this.shared.ticker.now
  }

  /** How many more streams may be opened. */
  get room(): number {
    if (this.retired || this.closing || this.gone || this.nextStream > maxStreamId) return 0
    return this.maxStreams - this.streams.size
  }

  get maxStreams(): number {
    return this.settled ? this.peer.maxConcurrentStreams : this.assumed
  }

  /** Opens a stream with a request; throws what makes the request unsendable. `last`: it has no body. */
  open(sink: StreamSink, pseudo: Pseudo, fields: FlatFields, length: number, last: boolean): Stream {
    const stream = new Stream(this.nextStream, this, this.peer.initialWindow)
    stream.sink = sink
    // Nothing changes when this throws.
    this.sendHeaders(stream, pseudo, fields, length, last)
    this.nextStream += 2
    this.streams.set(stream.id, stream)
    return stream
  }

  /** Ends the connection when its streams are complete. */
  retire(): void {
    if (this.retired) return
    this.retired = true
    this.owner.retired(this)
    if (this.streams.size === 0) this.close(NO_ERROR, '')
  }

  override tick(now: number): void {
    super.tick(now)
    if (this.closing || this.gone) return
    if (this.streams.size === 0 && now - this.idleSince > this.rules.idleMs) this.retire()
  }

  /** Many pings without anything between them make servers of gRPC go away (its proposal A8). */
  protected override probeAfter(pingAfterMs: number): number {
    return this.probes < maxQuickProbes ? pingAfterMs : Math.max(pingAfterMs, slowProbeMs)
  }

  protected override section(stream: Stream, block: HeaderBlock, endStream: boolean): void {
    const { sink } = stream
    this.probes = 0
    if (block.tooLarge) {
      const { maxHeaderBytes: limit } = this.limits
      const error = new WireError('TOO_LARGE', 'the header section is too large', { limit, sent: true })
      return this.fail(stream, CANCEL, error)
    }
    if (stream.expected !== beforeHead) {
      // Behind the head come only trailers.
      if (!endStream || block.hasPseudo) return this.malformed(stream, 'trailers that are none')
      if (block.problem !== undefined) return this.malformed(stream, block.problem)
      sink.headers(block, true)
      return this.finishRemote(stream)
    }
    const problem = responseProblem(block)
    if (problem !== undefined) return this.malformed(stream, problem)
    if (block.status!.charCodeAt(0) === 49) {
      // Interim responses (RFC 9110, section 15.2) have no body, and nobody waits for them.
      this.countIdle()
      if (endStream) this.malformed(stream, 'an interim response ends the stream')
      return
    }
    this.earn()
    stream.expected = bodyLength(sink, block)
    if (!endStream) return sink.headers(block, false)
    if (stream.expected > 0) return this.malformed(stream, 'the body is shorter than its content-length')
    stream.remoteEnded = true
    sink.headers(block, false)
    if (!stream.closed) this.finishRemote(stream)
  }

  override dataBegin(streamId: number, length: number): void {
    super.dataBegin(streamId, length)
    this.probes = 0
    const stream = this.streams.get(streamId)
    if (stream?.expected === beforeHead) this.malformed(stream, 'data before the head of the response')
  }

  protected override unknownStream(id: number): void {
    if (this.isIdle(id)) throw new ConnectionError(PROTOCOL_ERROR, 'the server opened a stream')
    // A response to what we gave up: read, and thrown away.
    this.countIdle()
  }

  protected override isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId >= this.nextStream
  }

  protected override resetError(code: number): WireError {
    if (code === REFUSED_STREAM) return notProcessed('the server refused the stream')
    const message = `the server reset the stream: ${errorName(code)}`
    return new WireError('RESET', message, { sent: true, resetCode: code })
  }

  protected override halfClosed(): void {}

  protected override removed(): void {
    this.idleSince = this.shared.ticker.now
    if (this.retired && this.streams.size === 0) this.close(NO_ERROR, '')
    else this.owner.room(this)
  }

  protected override settingsCame(): void {
    this.owner.room(this)
  }

  protected override pong(): void {}

  /** Streams that the server has not seen can be sent again elsewhere (RFC 9113, section 6.8). */
  protected override goesAway(lastStreamId: number, code: number): void {
    if (!this.retired) {
      this.retired = true
      this.owner.retired(this)
    }
    for (const stream of [...this.streams.values()]) {
      if (stream.id <= lastStreamId) continue
      const error = notProcessed(`the server went away: ${errorName(code)}`)
      this.remove(stream, error)
      stream.sink.failed(error, REFUSED_STREAM)
    }
    if (this.streams.size === 0) this.close(NO_ERROR, '')
  }

  protected override finish(): void {
    super.finish()
    if (this.retired) return
    this.retired = true
    this.owner.retired(this)
  }

  /** Before the server has said anything there are few reasons. */
  protected override brokenText(cause: Error | undefined): string {
    const text = super.brokenText(cause)
    if (this.settled) return text
    if ('encrypted' in this.socket) return cause === undefined ? text : `${text}: ${reasonOf(cause)}`
    return `${text} before the server has spoken: it may want TLS`
  }

  protected override broken(cause: Error | undefined): void {
    super.broken(cause)
    if (!this.retired) this.owner.retired(this)
    this.retired = true
    this.owner.ended(this)
  }
}

/** Such servers forgive two pings that come too soon, and want five minutes between the others. */
const maxQuickProbes = 2
const slowProbeMs = 310_000

/** `expected` of a stream whose response has not begun. */
export const beforeHead = -2

/** A failure of what the server never looked at: it can be sent again. */
function notProcessed(message: string): WireError {
  return new WireError('RESET', message, { sent: false })
}

/** Bytes of the body that must come; -1 when anything may. */
function bodyLength(sink: StreamSink & { readonly bodiless?: boolean }, block: HeaderBlock): number {
  // The length of an answer to HEAD, or of 304, is that of a body which does not come (RFC 9110, section 8.6).
  if (sink.bodiless || block.status === '204' || block.status === '304') return 0
  return block.contentLength
}
