import { fromUtf8, utf8 } from '@outrigger/kit'
import type { BindingData } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { readBody } from './body.ts'

interface Told {
  cut: number
  ended: number
  data: BindingData
}

async function read(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Told> {
  const told = { cut: 0, ended: 0 }
  const data = await readBody(chunks, {
    maxBytes,
    onCut: () => void told.cut++,
    onEnd: () => void told.ended++,
    toError: (error) => new Error(`meaning of ${String(error)}`),
  })
  return Object.assign(told, { data })
}

async function* source(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield utf8(part)
}

async function text(data: BindingData): Promise<string> {
  if (data instanceof Uint8Array) return fromUtf8(data)
  let all = ''
  for await (const chunk of data) all += fromUtf8(chunk)
  return all
}

describe('readBody', () => {
  test.each([
    [0, 'hello world', 0],
    [-1, 'hello world', 0],
    [11, 'hello world', 0],
    [10, 'hello worl', 1],
    [5, 'hello', 1],
    [1, 'h', 1],
  ])('with a limit of %i reads %j', async (limit, expected, cuts) => {
    const told = await read(source('hello', ' world'), limit)
    expect(told.data).toBeInstanceOf(Uint8Array)
    expect(await text(told.data)).toBe(expected)
    expect([told.cut, told.ended]).toEqual([cuts, 1])
  })

  test('hands a large body on as a stream, and cuts that too', async () => {
    const part = 'x'.repeat(40_000)
    const told = await read(source(part, part, part, part), 150_000)
    expect(told.data).not.toBeInstanceOf(Uint8Array)
    expect([told.cut, told.ended]).toEqual([0, 0])
    expect((await text(told.data)).length).toBe(150_000)
    expect([told.cut, told.ended]).toEqual([1, 1])
  })

  test('lets go of the source when the reader stops early', async () => {
    let released = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(50_000)
      } finally {
        released = true
      }
    }
    const told = await read(endless(), 0)
    for await (const chunk of told.data as AsyncIterable<Uint8Array>) {
      expect(chunk.length).toBe(50_000)
      break
    }
    expect([released, told.ended]).toEqual([true, 1])
  })

  test('gives a failure its meaning, early and late', async () => {
    async function* broken(count: number): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < count; index++) yield new Uint8Array(50_000)
      throw new Error('reset')
    }
    await expect(read(broken(0), 0)).rejects.toThrow('meaning of Error: reset')
    const told = await read(broken(3), 0)
    await expect(text(told.data)).rejects.toThrow('meaning of Error: reset')
    expect(told.ended).toBe(1)
  })
})
