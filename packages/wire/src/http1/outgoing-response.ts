import { WireError } from '../error.ts'
import { toFlat } from '../fields.ts'
import type { FieldsInit, FlatFields } from '../fields.ts'
import type { BodyWriter, ServerResponse } from '../types.ts'
import { clientGone } from './incoming-request.ts'
import type { IncomingRequest } from './incoming-request.ts'
import { byteLength } from './output.ts'
import type { ServerConnection } from './server-connection.ts'
import { mayHaveBody, statusLine } from './status.ts'
import { writeFields } from './write-fields.ts'

export class OutgoingResponse implements ServerResponse, BodyWriter {
  started = false
  /** Complete, or given up: nothing can follow. */
  ended = false
  /** Whether there is nobody to answer any more. */
  gone = false
  private readonly connection: ServerConnection
  private readonly request: IncomingRequest
  private chunked = false
  private bodiless = false
  /** Bytes that the announced length leaves; -1 without one. */
  private rest = -1

  constructor(connection: ServerConnection, request: IncomingRequest) {
    this.connection = connection
    this.request = request
  }

  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    if (this.started) throw alreadyStarted()
    checkStatus(status)
    const forHead = this.request.method === 'HEAD'
    const flat = toFlat(fields)
    // The handler of a HEAD request may say the length of what it does not send.
    const ownLength = forHead && body === undefined
    if (ownLength) announcedLength(flat)
    let head = statusLine(status) + writeFields(flat, ownLength)
    if (mayHaveBody(status) && !ownLength) head += `content-length: ${byteLength(body)}\r\n`
    else body = undefined
    this.started = this.ended = true
    if (this.gone) return
    const { connection } = this
    connection.output.append(head + connection.connectionFields() + '\r\n', forHead ? undefined : body, '')
    connection.answered()
  }

  /** Answers 101: whatever follows on the connection is not HTTP. */
  switchTo(protocol: string, fields: FieldsInit | undefined): void {
    if (this.started) throw alreadyStarted()
    const head = statusLine(101) + writeFields(toFlat(fields), false)
    this.started = this.ended = true
    if (this.gone) throw clientGone()
    const { output } = this.connection
    output.append(`${head}connection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`, undefined, '')
  }

  start(status: number, fields?: FieldsInit): BodyWriter {
    if (this.started) throw alreadyStarted()
    checkStatus(status)
    const flat = toFlat(fields)
    this.rest = announcedLength(flat)
    this.bodiless = this.request.method === 'HEAD' || !mayHaveBody(status)
    let head = statusLine(status) + writeFields(flat, mayHaveBody(status))
    const { connection } = this
    if (this.rest < 0 && mayHaveBody(status)) {
      this.chunked = this.request.minor === 1
      if (this.chunked) head += 'transfer-encoding: chunked\r\n'
      // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
      else connection.persistent = false
    }
    // Whoever begins to answer may still read; behind the head it is too late to ask for the body.
    if (status < 400) connection.bodyWanted()
    this.started = true
    if (this.gone) return this
    connection.output.append(head + connection.connectionFields() + '\r\n', undefined, '')
    connection.schedule()
    return this
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.gone) return rejected(clientGone())
    if (this.ended) return rejected(new WireError('PROTOCOL', 'the response has ended'))
    const length = byteLength(chunk)
    if (length === 0 || this.bodiless) return undefined
    if (this.rest >= 0) {
      this.rest -= length
      if (this.rest < 0) {
        this.abort()
        return rejected(new WireError('PROTOCOL', 'the body is longer than its content-length'))
      }
    }
    const { connection } = this
    if (this.chunked) connection.output.append(`${length.toString(16)}\r\n`, chunk, '\r\n')
    else connection.output.append('', chunk, '')
    connection.schedule()
    return connection.output.drained()
  }

  end(trailers?: FieldsInit): void {
    if (this.ended) return
    if (!this.bodiless && this.rest > 0) {
      this.abort()
      throw new WireError('PROTOCOL', 'the body is shorter than its content-length')
    }
    const last =
      this.chunked && !this.bodiless
        ? `0\r\n${trailers === undefined ? '' : writeFields(toFlat(trailers), false)}\r\n`
        : ''
    this.ended = true
    if (this.gone) return
    const { connection } = this
    connection.output.append(last, undefined, '')
    connection.answered()
  }

  abort(): void {
    if (this.started && this.ended) return
    this.started = this.ended = true
    if (!this.gone) this.connection.destroy()
  }

  /** After a failure: breaks off an answer that is not complete. */
  abandon(): void {
    if (!this.ended) this.abort()
  }
}

/** The length that the caller gives for a body in pieces, or -1. */
function announcedLength(flat: FlatFields): number {
  let found = -1
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue
    const value = flat[index + 1]!
    if (found >= 0 || !/^[0-9]{1,15}$/.test(value))
      throw new WireError('PROTOCOL', 'the content-length is malformed')
    found = Number(value)
  }
  return found
}

/** Informational answers are not the handler's, and three digits are all there is room for. */
function checkStatus(status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new WireError('PROTOCOL', `the status ${status} is not one of a response`)
  }
}

function alreadyStarted(): WireError {
  return new WireError('PROTOCOL', 'the response was already started')
}

/** Whoever does not look at the promise of a write shall not end the process. */
function rejected(error: WireError): Promise<void> {
  const promise = Promise.reject<void>(error)
  promise.catch(() => {})
  return promise
}
