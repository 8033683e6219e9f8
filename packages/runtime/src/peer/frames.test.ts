import { seededRandom } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { FrameReader } from './frames.ts'

function frame(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

async function* chunksOf(bytes: Uint8Array, size: (rest: number) => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = at + size(bytes.length - at)
    yield bytes.subarray(at, end)
    at = end
  }
}

async function all(reader: FrameReader): Promise<Buffer[]> {
  const messages: Buffer[] = []
  for (let message = await reader.next(); message !== undefined; message = await reader.next())
    messages.push(Buffer.from(message))
  return messages
}

const texts = ['one', '', 'three', 'x'.repeat(3000)]
const stream = Buffer.concat(texts.map((text) => frame(Buffer.from(text))))

describe('a reader of frames', () => {
  it('finds the same messages however they are cut', async () => {
    const random = seededRandom(7)
    const cuts = [
      (rest: number) => rest,
      () => 1,
      () => 5,
      (rest: number) => 1 + Math.floor(random.next() * rest),
    ]
    for (const cut of cuts) {
      const reader = new FrameReader(chunksOf(stream, cut), 10_000)
      expect((await all(reader)).map(String)).toEqual(texts)
      expect(reader.ended).toBe(true)
      expect(await reader.next()).toBeUndefined()
    }
  })

  it('puts a message of many chunks together in time that grows with its length alone', async () => {
    const message = Buffer.alloc(2 ** 22, 7)
    let copied = 0
    const concat = Buffer.concat
    Buffer.concat = (list, length) => {
      copied += list.reduce((sum, { length: each }) => sum + each, 0)
      return concat(list, length)
    }
    try {
      const reader = new FrameReader(
        chunksOf(frame(message), () => 1000),
        2 ** 23,
      )
      expect((await reader.next())?.length).toBe(message.length)
    } finally {
      Buffer.concat = concat
    }
    expect(copied).toBeLessThan(3 * message.length)
  })

  it.each([
    [
      'too large a message',
      frame(Buffer.alloc(101)),
      8,
      'a message of 101 bytes is larger than the limit of 100',
    ],
    ['a length of 4 GiB', Buffer.from([0, 255, 255, 255, 255]), 8, 'a message of 4294967295 bytes'],
    ['a compressed message', frame(Buffer.from('x'), 1), 12, 'compressed messages are not taken'],
    ['what is no frame', frame(Buffer.from('x'), 2), 13, 'a message begins with 2'],
    [
      'an end within a message',
      stream.subarray(0, stream.length - 1),
      13,
      'ended in the middle of a message',
    ],
    ['an end within a head', frame(Buffer.from('x')).subarray(0, 3), 13, 'ended in the middle of a message'],
  ])('refuses %s', async (_, bytes, code, message) => {
    const reader = new FrameReader(
      chunksOf(bytes, (rest) => rest),
      code === 13 ? 10_000 : 100,
    )
    await expect(all(reader)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })

  it('refuses what is too large before it has come', async () => {
    let asked = 0
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const byte of [0, 0, 1, 0, 0]) yield Uint8Array.of(byte)
      asked++
    }
    await expect(new FrameReader(body(), 100).next()).rejects.toMatchObject({ code: 8 })
    expect(asked).toBe(0)
  })

  it('sees without waiting whether the end is there', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield frame(Buffer.from('only'))
    }
    const reader = new FrameReader(body(), 100)
    await reader.next()
    expect(reader.ended).toBe(false)
    await reader.peek()
    expect(reader.ended).toBe(true)
  })

  it('looks ahead and loses nothing, as often as it is asked', async () => {
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    async function* body(): AsyncGenerator<Uint8Array> {
      yield frame(Buffer.from('one'))
      await gate
      yield frame(Buffer.from('two'))
    }
    const reader = new FrameReader(body(), 100)
    await reader.next()
    await reader.peek()
    await reader.peek()
    expect(reader.ended).toBe(false)
    go()
    expect(String(await reader.next())).toBe('two')
    await reader.peek()
    expect(reader.ended).toBe(true)
  })

  it('tells whoever reads on that the body broke off while it looked ahead', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield frame(Buffer.from('one'))
      throw new Error('reset')
    }
    const reader = new FrameReader(body(), 100)
    await reader.next()
    await reader.peek()
    await expect(reader.next()).rejects.toThrow('reset')
    await expect(reader.next()).rejects.toThrow('reset')
  })

  it('gives the body up when nothing more is wanted', async () => {
    let over = false
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        yield stream
      } finally {
        over = true
      }
    }
    const reader = new FrameReader(body(), 10_000)
    await reader.next()
    reader.cancel()
    await expect.poll(() => over).toBe(true)
  })
})
