import { describe, expect, it } from 'vitest'
import { ReplayBody } from './replay.ts'

async function* source(chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString()
  return text
}

describe('a body that is kept', () => {
  it('can be read again', async () => {
    const body = new ReplayBody(source(['a', 'b', 'c']))
    expect(await read(body)).toBe('abc')
    expect(await read(body)).toBe('abc')
  })

  it('goes on where the reader before was left', async () => {
    const body = new ReplayBody(source(['a', 'b', 'c']))
    const first = body[Symbol.asyncIterator]()
    expect(Buffer.from((await first.next()).value as Uint8Array).toString()).toBe('a')
    expect(await read(body)).toBe('abc')
  })

  it('loses nothing to a reader that still waits when the next one begins', async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      await gate
      yield Buffer.from('b')
      yield Buffer.from('c')
    }
    const body = new ReplayBody(slow())
    const first = body[Symbol.asyncIterator]()
    await first.next()
    const waiting = first.next()
    await new Promise(setImmediate)
    const second = read(body)
    release()
    expect(await second).toBe('abc')
    expect(Buffer.from((await waiting).value as Uint8Array).toString()).toBe('b')
    // What is kept anybody may read, but only the last reader goes on.
    await first.next()
    await expect(first.next()).rejects.toThrow('being sent again')
  })

  it('is read once when it is larger than the limit', async () => {
    const body = new ReplayBody(source(['aaaa', 'bbbb', 'cc']), 6)
    expect(body.replayable).toBe(true)
    expect(await read(body)).toBe('aaaabbbbcc')
    expect(body.replayable).toBe(false)
    await expect(read(body)).rejects.toThrow('more than 6 bytes were sent')
  })

  it('knows whether anybody has read', async () => {
    const body = new ReplayBody(source(['a']))
    expect(body.started).toBe(false)
    await read(body)
    expect(body.started).toBe(true)
  })

  it('is not there again when it breaks off', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      throw new Error('the client went away')
    }
    const body = new ReplayBody(broken())
    const reader = body[Symbol.asyncIterator]()
    await reader.next()
    expect(body.replayable).toBe(true)
    await expect(reader.next()).rejects.toThrow('went away')
    expect(body.replayable).toBe(false)
  })
})
