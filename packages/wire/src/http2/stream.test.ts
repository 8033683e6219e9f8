import { describe, expect, it } from 'vitest'
import { WireError } from '../error.ts'
import { Stream } from './stream.ts'
import type { Carrier } from './stream.ts'

function carrier(): Carrier & { now: number; readied: number } {
  return {
    backlog: 0,
    now: 0,
    readied: 0,
    ready: function () {
      this.readied++
    },
    consumed() {},
    resetStream() {},
  }
}

describe('a stream', () => {
  it('hands out what waits in order, in pieces as large as asked for', () => {
    const own = carrier()
    const stream = new Stream(1, own, 100)
    for (const text of ['abc', '', 'd', 'efgh']) void stream.write(Buffer.from(text))
    expect([stream.backlog, own.backlog]).toEqual([8, 8])
    const pieces = [2, 5, 5, 2, 9].map((most) => Buffer.from(stream.take(most)).toString())
    expect(pieces).toEqual(['ab', 'c', 'd', 'ef', 'gh'])
    expect([stream.backlog, own.backlog]).toEqual([0, 0])
  })

  it('has its writer wait from a mark on, and lower when much waits elsewhere', async () => {
    const own = carrier()
    const stream = new Stream(1, own, 0)
    expect(stream.write(Buffer.alloc(256 * 1024 - 1))).toBeUndefined()
    const room = stream.write(Buffer.alloc(1))
    expect(room).toBeInstanceOf(Promise)
    expect(stream.write(Buffer.alloc(1))).toBe(room)
    stream.take(1 << 20)
    stream.take(1 << 20)
    await room
    own.backlog = 2 << 20
    expect(new Stream(3, own, 0).write(Buffer.alloc(16 * 1024))).toBeInstanceOf(Promise)
  })

  it('counts no progress from before anything waited', () => {
    const own = carrier()
    const stream = new Stream(1, own, 0)
    void stream.write(Buffer.from('a'))
    stream.take(1)
    own.now = 100_000
    void stream.write(Buffer.from('b'))
    expect(stream.progressAt).toBe(100_000)
    own.now = 200_000
    void stream.write(Buffer.from('c'))
    expect(stream.progressAt).toBe(100_000)
  })

  it('drops what waits when it breaks, and tells the writer', async () => {
    const own = carrier()
    const stream = new Stream(1, own, 0)
    const room = stream.write(Buffer.alloc(300 * 1024))
    stream.drop(new WireError('ABORTED', 'gone'))
    await expect(room).rejects.toMatchObject({ code: 'ABORTED' })
    expect([stream.backlog, own.backlog]).toEqual([0, 0])
    await expect(stream.write(Buffer.from('a'))).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
