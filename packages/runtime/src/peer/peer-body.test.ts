import { describe, expect, it } from 'vitest'
import { FrameReader } from './frames.ts'
import { decodeRequestPiece, encodeRequestPiece, type PeerRequest } from './messages.ts'
import { PeerBody } from './peer-body.ts'

const head: PeerRequest = { method: 'x', verb: 'POST', query: '', contentType: '', typeUrl: '', metadata: [] }
const piece = (text: string, seq: number): Uint8Array => encodeRequestPiece(undefined, Buffer.from(text), seq)

function bodyOf(
  pieces: readonly Uint8Array[],
  { first, onEnd, fail }: { first?: string; onEnd?: () => void; fail?: Error } = {},
) {
  const seen = { over: false }
  async function* frames(): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces
      if (fail !== undefined) throw fail
    } finally {
      seen.over = true
    }
  }
  const start = first === undefined ? undefined : Buffer.from(first)
  const body = new PeerBody(new FrameReader(frames(), 1000), decodeRequestPiece, start, undefined, onEnd)
  return { body, seen }
}

async function text(body: PeerBody): Promise<string> {
  return Buffer.from(await body.bytes()).toString()
}

describe('a body in pieces', () => {
  it('is what they make together', async () => {
    expect(await text(bodyOf([piece('one ', 0), piece('', 1), piece('two', 2)]).body)).toBe('one two')
    expect(await text(bodyOf([piece('two', 1)], { first: 'one ' }).body)).toBe('one two')
    expect(await text(bodyOf([]).body)).toBe('')
    expect(await text(bodyOf([encodeRequestPiece(undefined, undefined, 0), piece('one', 0)]).body)).toBe(
      'one',
    )
  })

  it.each([
    ['a piece that was left out', [piece('a', 0), piece('c', 2)], 'piece 2 came where piece 1 was expected'],
    ['a piece that came twice', [piece('a', 0), piece('a', 0)], 'piece 0 came where piece 1 was expected'],
    ['a second head', [piece('a', 0), encodeRequestPiece(head, undefined, 0)], 'a second head came'],
    ['what is no message', [Uint8Array.of(0, 0, 0, 0, 1, 255)], 'broke off'],
    ['too large a piece', [piece('x'.repeat(2000), 0)], 'larger than the limit of 1000'],
  ])('breaks off at %s', async (_, pieces, message) => {
    const { body, seen } = bodyOf(pieces)
    await expect(text(body)).rejects.toMatchObject({
      name: 'WireError',
      message: expect.stringContaining(message),
      sent: true,
    })
    expect(seen.over).toBe(true)
  })

  it('is too large when its limit says so, and is given up then', async () => {
    const { body, seen } = bodyOf([piece('one', 0), piece('two', 1), piece('three', 2)])
    await expect(body.bytes(5)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(seen.over).toBe(true)
  })

  it('breaks off where its stream does', async () => {
    const { body } = bodyOf([piece('one', 0)], { fail: new Error('the connection was reset') })
    await expect(text(body)).rejects.toMatchObject({
      code: 'RESET',
      message: 'the body broke off: the connection was reset',
    })
  })

  it('is whole only when the end says so', async () => {
    const onEnd = (): void => {
      throw new Error('status 14')
    }
    await expect(text(bodyOf([piece('one', 0)], { onEnd }).body)).rejects.toThrow('status 14')
  })

  it('can be read once, and given up at any time', async () => {
    const { body } = bodyOf([piece('one', 0)])
    await text(body)
    await expect(text(body)).rejects.toMatchObject({ code: 'PROTOCOL' })
    const unread = bodyOf([piece('one', 0), piece('two', 1)])
    unread.body.cancel()
    unread.body.cancel()
    await expect(text(unread.body)).rejects.toMatchObject({ code: 'PROTOCOL' })
    const half = bodyOf([piece('one', 0), piece('two', 1)])
    for await (const _ of half.body) break
    await expect.poll(() => half.seen.over).toBe(true)
  })
})
