import { expect, test } from 'vitest'
import { encodeFrame, gzip, messageOf, onlyFrame, readFrames } from './framing.ts'

async function* chunked(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const messages = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(3000).fill(7), Uint8Array.of(9)]
const wire = Buffer.concat(messages.map((message) => encodeFrame(message)))

test.each([1, 2, 3, 4, 5, 6, 7, 100, 3001, 10_000])(
  'frames are found in chunks of %i bytes',
  async (size) => {
    const found: Uint8Array[] = []
    for await (const frame of readFrames(chunked(wire, size), 4096)) {
      expect(frame.compressed).toBe(false)
      found.push(Uint8Array.from(frame.data))
    }
    expect(found).toEqual(messages)
  },
)

test('a message over the limit is refused before it has arrived', async () => {
  const head = encodeFrame(new Uint8Array(5000)).subarray(0, 5)
  await expect(readFrames(chunked(head, 5), 4096).next()).rejects.toMatchObject({ code: 8 })
})

test('a body that ends within a message is an error', async () => {
  const frames = readFrames(chunked(wire.subarray(0, wire.length - 1), 64), 4096)
  const readAll = async (): Promise<void> => {
    for await (const frame of frames) expect(frame.compressed).toBe(false)
  }
  await expect(readAll()).rejects.toMatchObject({ code: 13 })
})

test('a flag that means nothing is an error', async () => {
  await expect(readFrames(chunked(Uint8Array.of(2, 0, 0, 0, 0), 5), 10).next()).rejects.toMatchObject({
    code: 13,
  })
})

test('a unary body has exactly one message', () => {
  expect(onlyFrame(encodeFrame(Uint8Array.of(5)), 10).data).toEqual(Uint8Array.of(5))
  for (const body of [new Uint8Array(0), Uint8Array.of(0, 0, 0, 0, 2, 1), wire]) {
    expect(() => onlyFrame(body, 4096)).toThrow('message')
  }
})

test('gzip is unpacked, within the limit', async () => {
  const packed = await gzip(new Uint8Array(100_000))
  const frame = onlyFrame(encodeFrame(packed, true), 4096)
  expect((await messageOf(frame, 'gzip', 200_000)).length).toBe(100_000)
  await expect(messageOf(frame, 'gzip', 50_000)).rejects.toMatchObject({ code: 8 })
  await expect(messageOf(frame, 'snappy', 50_000)).rejects.toMatchObject({ code: 12 })
  await expect(messageOf({ compressed: true, data: Uint8Array.of(1) }, 'gzip', 10)).rejects.toMatchObject({
    code: 13,
  })
})
