import { BackWriter, MalformedMessage, Reader } from './protobuf.ts'

/**
 * `dapr.proto.internals.v1.InternalInvokeRequest`, without what only actors need. Names and numbers of fields
 * are those of the .proto files.
 */
export interface PeerRequest {
  /** Path without the slash before it, escaped as it was sent. */
  readonly method: string
  /** `POST`; empty when the call came over gRPC without one. */
  readonly verb: string
  readonly query: string
  readonly contentType: string
  /** Of a message that came over gRPC; empty otherwise. */
  readonly typeUrl: string
  /** Names and values in turn. A name may occur more than once. */
  readonly metadata: readonly string[]
}

/** `InternalInvokeResponse`. */
export interface PeerResponse {
  /** An HTTP status, or below 100 a code of gRPC. */
  readonly status: number
  readonly message: string
  /** `google.protobuf.Any`, encoded. */
  readonly details: readonly Uint8Array[]
  readonly headers: readonly string[]
  readonly trailers: readonly string[]
  readonly contentType: string
  readonly typeUrl: string
}

/** One message of a stream: the head in the first one, a piece of the body in any. */
export interface Piece<H> {
  readonly head: H | undefined
  readonly data: Uint8Array | undefined
  readonly seq: number
}

const verbs = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
const verbNumbers = new Map(verbs.map((verb, number) => [verb, number]))
const versionOne = 1
const noBytes = new Uint8Array(0)
/** As much as anybody has; what is passed on has to be looked at, and to be a head of HTTP. */
const mostFields = 1000
export const mostHeadBytes = 256 * 1024

/** A frame of gRPC with one message of a request stream. */
export function encodeRequestPiece(
  head: PeerRequest | undefined,
  data: Uint8Array | undefined,
  seq: number,
): Uint8Array {
  const writer = new BackWriter(64 + (data?.length ?? 0) + (head === undefined ? 0 : sizeOfRequest(head)))
  writePayload(writer, data, seq)
  if (head !== undefined) {
    const before = writer.length
    writeRequest(writer, head, undefined)
    writer.delimit(1, before)
  }
  return frame(writer)
}

/** A frame of gRPC with a whole request, for `CallLocal`. */
export function encodeRequest(head: PeerRequest, data: Uint8Array): Uint8Array {
  const writer = new BackWriter(64 + data.length + sizeOfRequest(head))
  writeRequest(writer, head, data)
  return frame(writer)
}

export function encodeResponsePiece(
  head: PeerResponse | undefined,
  data: Uint8Array | undefined,
  seq: number,
): Uint8Array {
  const writer = new BackWriter(64 + (data?.length ?? 0) + (head === undefined ? 0 : sizeOfResponse(head)))
  writePayload(writer, data, seq)
  if (head !== undefined) {
    const before = writer.length
    writeResponse(writer, head, undefined)
    writer.delimit(1, before)
  }
  return frame(writer)
}

export function encodeResponse(head: PeerResponse, data: Uint8Array): Uint8Array {
  const writer = new BackWriter(64 + data.length + sizeOfResponse(head))
  writeResponse(writer, head, data)
  return frame(writer)
}

/** @throws MalformedMessage */
export function decodeRequestPiece(bytes: Uint8Array): Piece<PeerRequest> {
  return decodePiece(bytes, (reader) => readRequest(reader).head)
}

/** @throws MalformedMessage */
export function decodeRequest(bytes: Uint8Array): { head: PeerRequest; data: Uint8Array } {
  return readRequest(new Reader(bytes))
}

/** @throws MalformedMessage */
export function decodeResponsePiece(bytes: Uint8Array): Piece<PeerResponse> {
  return decodePiece(bytes, (reader) => readResponse(reader).head)
}

/** @throws MalformedMessage */
export function decodeResponse(bytes: Uint8Array): { head: PeerResponse; data: Uint8Array } {
  return readResponse(new Reader(bytes))
}

function frame(writer: BackWriter): Uint8Array {
  writer.uint32BE(writer.length)
  writer.raw(notCompressed)
  return writer.finish()
}

const notCompressed = Uint8Array.of(0)

/** `StreamPayload`. */
function writePayload(writer: BackWriter, data: Uint8Array | undefined, seq: number): void {
  if (data === undefined) return
  const before = writer.length
  if (seq > 0) writer.number(2, seq)
  if (data.length > 0) writer.bytes(1, data)
  writer.delimit(2, before)
}

function sizeOfRequest({ method, query, contentType, typeUrl, metadata }: PeerRequest): number {
  return method.length + query.length + contentType.length + typeUrl.length + sizeOfPairs(metadata) + 64
}

function sizeOfResponse(head: PeerResponse): number {
  const { message, details, headers, trailers, contentType, typeUrl } = head
  const extra = details.reduce((sum, detail) => sum + detail.length + 8, 0)
  const pairs = sizeOfPairs(headers) + sizeOfPairs(trailers)
  return message.length + contentType.length + typeUrl.length + extra + pairs + 64
}

function sizeOfPairs(pairs: readonly string[]): number {
  let size = pairs.length * 8
  for (const text of pairs) size += text.length
  return size
}

function writeRequest(writer: BackWriter, head: PeerRequest, data: Uint8Array | undefined): void {
  const start = writer.length
  const { method, verb, query, contentType, typeUrl } = head
  // NONE is told from "not over HTTP" by the presence of the extension.
  const before = writer.length
  if (query !== '') writer.text(2, query)
  const number = verbNumbers.get(verb) ?? 0
  if (number !== 0) writer.number(1, number)
  if (number !== 0 || query !== '') writer.delimit(4, before)
  if (contentType !== '') writer.text(3, contentType)
  writeAny(writer, 2, typeUrl, data)
  if (method !== '') writer.text(1, method)
  writer.delimit(3, start)
  writePairs(writer, 2, head.metadata)
  writer.number(1, versionOne)
}

function writeResponse(writer: BackWriter, head: PeerResponse, data: Uint8Array | undefined): void {
  const start = writer.length
  if (head.contentType !== '') writer.text(2, head.contentType)
  writeAny(writer, 1, head.typeUrl, data)
  writer.delimit(4, start)
  writePairs(writer, 3, head.trailers)
  writePairs(writer, 2, head.headers)
  const before = writer.length
  for (let index = head.details.length - 1; index >= 0; index--) writer.bytes(3, head.details[index]!)
  if (head.message !== '') writer.text(2, head.message)
  if (head.status !== 0) writer.number(1, head.status)
  writer.delimit(1, before)
}

/** `google.protobuf.Any`; there even when it is empty, as receivers of messages expect it. */
function writeAny(writer: BackWriter, field: number, typeUrl: string, data: Uint8Array | undefined): void {
  const before = writer.length
  if (data !== undefined && data.length > 0) writer.bytes(2, data)
  if (typeUrl !== '') writer.text(1, typeUrl)
  writer.delimit(field, before)
}

/** A map from names to lists of values. */
function writePairs(writer: BackWriter, field: number, pairs: readonly string[]): void {
  for (let index = pairs.length - 2; index >= 0; index -= 2) {
    const name = pairs[index]!
    // The first occurrence of a name carries all values: in a map a name is there once.
    if (occursBefore(pairs, name, index)) continue
    const start = writer.length
    for (let other = pairs.length - 2; other >= index; other -= 2) {
      if (pairs[other] === name) writer.text(1, pairs[other + 1]!)
    }
    writer.delimit(2, start)
    writer.text(1, name)
    writer.delimit(field, start)
  }
}

function occursBefore(pairs: readonly string[], name: string, end: number): boolean {
  for (let index = 0; index < end; index += 2) if (pairs[index] === name) return true
  return false
}

function decodePiece<H>(bytes: Uint8Array, readHead: (reader: Reader) => H): Piece<H> {
  const reader = new Reader(bytes)
  let head: H | undefined
  let data: Uint8Array | undefined
  let seq = 0
  while (reader.next()) {
    if (reader.field === 1) head = readHead(reader.message())
    else if (reader.field === 2) {
      const payload = reader.message()
      data = noBytes
      while (payload.next()) {
        if (payload.field === 1) data = payload.bytes()
        else if (payload.field === 2) seq = payload.number()
        else payload.skip()
      }
    } else reader.skip()
  }
  return { head, data, seq }
}

function readRequest(reader: Reader): { head: PeerRequest; data: Uint8Array } {
  const metadata: string[] = []
  let method = ''
  let verb = ''
  let query = ''
  let contentType = ''
  let any = emptyAny
  let seen = false
  while (reader.next()) {
    if (reader.field === 2) readPair(reader.message(), metadata)
    else if (reader.field === 3) {
      seen = true
      const message = reader.message()
      while (message.next()) {
        if (message.field === 1) method = message.text()
        else if (message.field === 2) any = readAny(message.message())
        else if (message.field === 3) contentType = message.text()
        else if (message.field === 4) {
          const extension = message.message()
          while (extension.next()) {
            if (extension.field === 1) verb = verbs[extension.number()] ?? ''
            else if (extension.field === 2) query = extension.text()
            else extension.skip()
          }
        } else message.skip()
      }
    } else reader.skip()
  }
  if (!seen) throw new MalformedMessage('there is no message in the request')
  const head = { method, verb, query, contentType, typeUrl: any.typeUrl, metadata }
  if (sizeOfRequest(head) > mostHeadBytes) throw tooLarge()
  return { head, data: any.value }
}

function readResponse(reader: Reader): { head: PeerResponse; data: Uint8Array } {
  const headers: string[] = []
  const trailers: string[] = []
  const details: Uint8Array[] = []
  let status = 0
  let message = ''
  let contentType = ''
  let any = emptyAny
  let seen = false
  while (reader.next()) {
    if (reader.field === 1) {
      seen = true
      const part = reader.message()
      while (part.next()) {
        if (part.field === 1) status = part.number()
        else if (part.field === 2) message = part.text()
        else if (part.field === 3) details.push(part.bytes())
        else part.skip()
      }
    } else if (reader.field === 2) readPair(reader.message(), headers)
    else if (reader.field === 3) readPair(reader.message(), trailers)
    else if (reader.field === 4) {
      const part = reader.message()
      while (part.next()) {
        if (part.field === 1) any = readAny(part.message())
        else if (part.field === 2) contentType = part.text()
        else part.skip()
      }
    } else reader.skip()
  }
  if (!seen) throw new MalformedMessage('there is no status in the response')
  const head = { status, message, details, headers, trailers, contentType, typeUrl: any.typeUrl }
  if (sizeOfResponse(head) > mostHeadBytes) throw tooLarge()
  return { head, data: any.value }
}

function tooLarge(): MalformedMessage {
  return new MalformedMessage(`what is beside the body is larger than ${mostHeadBytes} bytes`)
}

const emptyAny = { typeUrl: '', value: noBytes as Uint8Array }

function readAny(reader: Reader): { typeUrl: string; value: Uint8Array } {
  let typeUrl = ''
  let value: Uint8Array = noBytes
  while (reader.next()) {
    if (reader.field === 1) typeUrl = reader.text()
    else if (reader.field === 2) value = reader.bytes()
    else reader.skip()
  }
  return { typeUrl, value }
}

/** Adds a name with each of its values; one without values is left out. */
function readPair(reader: Reader, pairs: string[]): void {
  let name = ''
  let values: Reader | undefined
  while (reader.next()) {
    if (reader.field === 1) name = reader.text()
    else if (reader.field === 2) values = reader.message()
    else reader.skip()
  }
  while (values?.next() === true) {
    if (values.field === 1) {
      pairs.push(name, values.text())
      if (pairs.length > 2 * mostFields)
        throw new MalformedMessage(`there are more than ${mostFields} fields`)
    } else values.skip()
  }
}
