import { describe, expect, it } from 'vitest'
import { ChunkList } from './chunk-list.ts'

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

describe('a list of chunks', () => {
  it('gives back what was put in, in order, whatever the sizes', () => {
    for (const sizes of [[5], [1, 1, 1], [2000, 3, 3000, 4, 5], [1023, 1024, 1025], Array(30_000).fill(1)]) {
      const whole = new ChunkList()
      const parts = new ChunkList()
      const given: number[] = []
      for (const [index, size] of (sizes as number[]).entries()) {
        whole.push(bytes(size, index))
        parts.push(bytes(size, index))
        given.push(...bytes(size, index))
      }
      expect(whole.size).toBe(given.length)
      expect(Buffer.compare(whole.take(), Uint8Array.from(given))).toBe(0)
      expect(whole.size).toBe(0)
      const taken: number[] = []
      for (let chunk = parts.shift(); chunk !== undefined; chunk = parts.shift()) taken.push(...chunk)
      expect(taken).toEqual(given)
      expect(parts.size).toBe(0)
    }
  })

  it('can be filled while it is emptied', () => {
    const list = new ChunkList()
    let text = ''
    for (let round = 0; round < 50; round++) {
      for (let count = 0; count < 3; count++) list.push(Buffer.from(`${round}.${count} `))
      text += Buffer.from(list.shift()!).toString()
    }
    for (let chunk = list.shift(); chunk !== undefined; chunk = list.shift())
      text += Buffer.from(chunk).toString()
    expect(text.trim().split(' ')).toEqual(
      Array.from({ length: 150 }, (_, index) => `${Math.floor(index / 3)}.${index % 3}`),
    )
  })

  it('keeps a small chunk as it is, and copies many together', () => {
    const list = new ChunkList()
    const first = bytes(10, 1)
    list.push(first)
    expect(list.take()).toBe(first)
    for (let count = 0; count < 8000; count++) list.push(bytes(1, 2))
    let chunks = 0
    while (list.shift() !== undefined) chunks++
    expect(chunks).toBeLessThan(5)
  })
})
