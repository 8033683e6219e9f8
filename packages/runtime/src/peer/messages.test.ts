import { codecOf } from '@outrigger/proto'
import {
  InternalInvokeRequestSchema,
  InternalInvokeRequestStreamSchema,
  InternalInvokeResponseSchema,
  InternalInvokeResponseStreamSchema,
} from '@outrigger/proto/internals'
import { seededRandom } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import {
  decodeRequest,
  decodeRequestPiece,
  decodeResponse,
  decodeResponsePiece,
  encodeRequest,
  encodeRequestPiece,
  encodeResponse,
  encodeResponsePiece,
  type PeerRequest,
  type PeerResponse,
} from './messages.ts'
import { MalformedMessage } from './protobuf.ts'

const requestStream = codecOf(InternalInvokeRequestStreamSchema)
const responseStream = codecOf(InternalInvokeResponseStreamSchema)
const wholeRequest = codecOf(InternalInvokeRequestSchema)
const wholeResponse = codecOf(InternalInvokeResponseSchema)

const request: PeerRequest = {
  method: 'orders/1%2F2',
  verb: 'POST',
  query: 'a=1&b=2',
  contentType: 'application/json',
  typeUrl: '',
  metadata: ['Content-Type', 'application/json', 'X-Many', 'one', 'X-Other', '', 'X-Many', 'two'],
}
const response: PeerResponse = {
  status: 404,
  message: 'not found',
  details: [],
  headers: ['X-A', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
  trailers: [],
  contentType: 'text/plain',
  typeUrl: '',
}
const data = new TextEncoder().encode('{"hello":"world"}')
const message = (frame: Uint8Array): Uint8Array => frame.subarray(5)

describe('the messages between sidecars', () => {
  it('are read by the generated code as they were written', () => {
    const piece = requestStream.decode(message(encodeRequestPiece(request, data, 0)))
    expect(Buffer.from(piece.payload!.data)).toEqual(Buffer.from(data))
    expect(piece.request?.ver).toBe(1)
    expect(piece.request?.message).toMatchObject({
      method: 'orders/1%2F2',
      contentType: 'application/json',
      httpExtension: { verb: 3, querystring: 'a=1&b=2' },
    })
    expect(piece.request?.message?.data).toBeDefined()
    const { metadata = {} } = piece.request ?? {}
    expect(Object.keys(metadata).sort()).toEqual(['Content-Type', 'X-Many', 'X-Other'])
    expect(metadata['X-Many']?.values).toEqual(['one', 'two'])
    expect(metadata['X-Other']?.values).toEqual([''])

    const later = requestStream.decode(message(encodeRequestPiece(undefined, data, 300)))
    expect(later.request).toBeUndefined()
    expect(later.payload?.seq).toBe(300n)

    const answer = responseStream.decode(message(encodeResponsePiece(response, data, 0)))
    expect(answer.response?.status).toMatchObject({ code: 404, message: 'not found' })
    expect(answer.response?.headers['Set-Cookie']?.values).toEqual(['a=1', 'b=2'])
    expect(answer.response?.message?.contentType).toBe('text/plain')
    expect(Buffer.from(answer.payload!.data)).toEqual(Buffer.from(data))
  })

  it('carry the body themselves when they are whole', () => {
    const sent = wholeRequest.decode(message(encodeRequest(request, data))).message?.data?.value
    expect(Buffer.from(sent!)).toEqual(Buffer.from(data))
    const answered = wholeResponse.decode(message(encodeResponse(response, data))).message?.data?.value
    expect(Buffer.from(answered!)).toEqual(Buffer.from(data))
  })

  it('are read as the generated code writes them', () => {
    const bytes = requestStream.encode({
      request: {
        ver: 1,
        metadata: { 'X-Many': { values: ['one', 'two'] }, empty: { values: [] } },
        message: {
          method: 'm',
          data: { typeUrl: 'type.googleapis.com/x', value: data },
          contentType: 'a/b',
          httpExtension: { verb: 9, querystring: 'q' },
        },
        actor: { actorType: 'ignored', actorId: 'too' },
      },
      payload: { data, seq: 7n },
    })
    expect(decodeRequestPiece(bytes)).toEqual({
      head: {
        method: 'm',
        verb: 'PATCH',
        query: 'q',
        contentType: 'a/b',
        typeUrl: 'type.googleapis.com/x',
        metadata: ['X-Many', 'one', 'X-Many', 'two'],
      },
      data: Buffer.from(data),
      seq: 7,
    })
    const detail = { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: data }
    const answer = decodeResponse(
      wholeResponse.encode({
        status: { code: 5, message: 'gone', details: [detail] },
        headers: { a: { values: ['1'] } },
        trailers: { b: { values: ['2'] } },
        message: { data: { typeUrl: 't', value: data }, contentType: 'c' },
      }),
    )
    expect(answer.data).toEqual(Buffer.from(data))
    expect(answer.head).toMatchObject({
      status: 5,
      message: 'gone',
      headers: ['a', '1'],
      trailers: ['b', '2'],
      contentType: 'c',
      typeUrl: 't',
    })
    expect(answer.head.details).toHaveLength(1)
  })

  it('tell an empty piece from none', () => {
    expect(decodeRequestPiece(message(encodeRequestPiece(request, new Uint8Array(0), 0))).data).toHaveLength(
      0,
    )
    expect(decodeRequestPiece(message(encodeRequestPiece(request, undefined, 0))).data).toBeUndefined()
  })

  it('keep the bytes of header fields that are UTF-8, and make UTF-8 of others', () => {
    const field = (value: string): readonly string[] =>
      decodeRequestPiece(message(encodeRequestPiece({ ...request, metadata: ['X', value] }, undefined, 0)))
        .head!.metadata
    const utf8 = Buffer.from('grüße', 'utf8').toString('latin1')
    expect(field(utf8)).toEqual(['X', utf8])
    const bytes = encodeRequestPiece({ ...request, metadata: ['X', 'gr\xfc\xdfe'] }, undefined, 0)
    expect(requestStream.decode(message(bytes)).request?.metadata['X']?.values).toEqual(['grüße'])
  })

  it('grow beyond what was estimated', () => {
    const long = 'ü'.repeat(10_000)
    const bytes = encodeRequestPiece({ ...request, metadata: ['X', long] }, undefined, 0)
    expect(requestStream.decode(message(bytes)).request?.metadata['X']?.values).toEqual([long])
  })

  it('refuse bytes that are no message, without reading past them', () => {
    const random = seededRandom(7)
    const good = message(encodeRequestPiece(request, data, 3))
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(good.subarray(0, Math.ceil(random.next() * good.length)))
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
      for (const decode of [decodeRequestPiece, decodeRequest, decodeResponsePiece, decodeResponse]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage)
        }
      }
    }
    expect(() => decodeRequest(new Uint8Array(0))).toThrow('there is no message')
    expect(() => decodeResponse(new Uint8Array(0))).toThrow('there is no status')
  })
})

describe('what is beside a body', () => {
  const many = Array<string>(2002).fill('a')
  const long = 'x'.repeat(256 * 1024)

  it.each([
    [
      'too many fields of a request',
      () => decodeRequest(message(encodeRequest({ ...request, metadata: many }, data))),
    ],
    ['too long a method', () => decodeRequest(message(encodeRequest({ ...request, method: long }, data)))],
    [
      'too long a field',
      () => decodeRequestPiece(message(encodeRequestPiece({ ...request, metadata: ['a', long] }, data, 0))),
    ],
    [
      'too many fields of an answer',
      () => decodeResponse(message(encodeResponse({ ...response, trailers: many }, data))),
    ],
    [
      'too long a message',
      () => decodeResponsePiece(message(encodeResponsePiece({ ...response, message: long }, data, 0))),
    ],
  ])('is refused: %s', (_, decode) => {
    expect(decode).toThrow(MalformedMessage)
  })

  it('does not count as the body does', () => {
    const body = new Uint8Array(2 ** 20)
    const head = { ...request, metadata: many.slice(2), query: long.slice(0, 100_000) }
    expect(decodeRequest(message(encodeRequest(head, body))).data.length).toBe(body.length)
  })
})
