import { connect } from 'node:http2'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2'
import { cleanup } from '../setup.ts'

/** A connection of node:http2; destroyed after the test. */
export function session(origin: string, options: object = {}): ClientHttp2Session {
  const created = connect(origin, options)
  created.on('error', () => {})
  cleanup(() => created.destroy())
  return created
}

export interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly trailers?: IncomingHttpHeaders
  readonly body: Buffer
}

export function answer(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let headers: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    stream.on('response', (found) => (headers = found))
    stream.on('trailers', (found) => (trailers = found))
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => resolve({ headers, trailers, body: Buffer.concat(parts) }))
    stream.on('error', reject)
  })
}

export function send(from: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  const stream = from.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answer(stream)
}

/** Bytes that tell when something got lost or mixed up. */
export function pattern(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >> 8)) % 256))
}
