import { describe, expect, it } from 'vitest'
import { HEADERS, PADDED, PING, preface, SETTINGS } from './constants.ts'
import { BlockPool, Output } from './output.ts'
import { FrameReader } from './reader.ts'

/** Reads `bytes` in chunks of `size` and tells what came, with the pieces of DATA joined. */
function read(bytes: Uint8Array, size: number, expectPreface = false): string[] {
  const found: string[] = []
  let data = ''
  const reader = new FrameReader(
    {
      frame: (type, flags, id, from, start, end) =>
        found.push(`${type} ${flags} ${id} ${from.subarray(start, end).toString('hex')}`),
      dataBegin: (id, length) => (data = `data ${id} ${length} `),
      dataPiece: (piece) => (data += piece.toString('hex')),
      dataEnd: (flags, padding) => found.push(`${data} ${flags} ${padding}`),
    },
    expectPreface,
  )
  for (let at = 0; at < bytes.length; at += size) reader.push(Buffer.from(bytes.slice(at, at + size)))
  return found
}

function written(fill: (output: Output) => void): Buffer {
  const output = new Output(new BlockPool())
  fill(output)
  const { size } = output
  const bytes = Buffer.concat(output.take())
  expect(bytes.length).toBe(size)
  return bytes
}

function frame(length: number, type: number, flags: number, id: number, payload: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, length, type, flags, 0, 0, 0, id]), Buffer.from(payload, 'hex')])
}

describe('frames', () => {
  const large = Buffer.alloc(10_000, 'abc')
  const bytes = written((output) => {
    output.settings([3, 100, 4, 1 << 20])
    output.settingsAck()
    output.windowUpdate(0, 0x7fffffff)
    output.data(1, Buffer.from('hi'), false)
    output.data(0x7fffffff, large, true)
    output.data(3, Buffer.alloc(0), true)
    output.ping(true, Buffer.from('0102030405060708', 'hex'), 0)
    output.reset(5, 8)
    output.goaway(7, 2, 'why')
  })
  const expected = [
    '4 0 0 000300000064000400100000',
    '4 1 0 ',
    '8 0 0 7fffffff',
    'data 1 2 6869 0 0',
    `data 2147483647 10000 ${large.toString('hex')} 1 0`,
    'data 3 0  1 0',
    '6 1 0 0102030405060708',
    '3 0 5 00000008',
    '7 0 0 0000000700000002776879',
  ]

  it.each([1, 2, 8, 9, 10, 11, 1000, 100_000])('are read as they were written, in chunks of %i', (size) => {
    expect(read(bytes, size)).toEqual(expected)
  })

  it('come behind the preface', () => {
    for (const size of [1, 5, 1000]) {
      expect(read(Buffer.concat([preface, bytes]), size, true)).toEqual(expected)
    }
    expect(() => read(Buffer.from('GET / HTTP/1.1\r\n'), 3, true)).toThrow(/preface/)
  })

  it.each([1, 4, 100])('lose their padding, in chunks of %i', (size) => {
    const padded = Buffer.concat([
      frame(6, 0, PADDED | 1, 1, '026869780000'),
      frame(2, 0, PADDED, 1, '0100'),
      frame(1, 0, PADDED, 1, '00'),
    ])
    expect(read(padded, size)).toEqual(['data 1 6 686978 9 3', 'data 1 2  8 2', 'data 1 1  8 1'])
    expect(() => read(frame(2, 0, PADDED, 1, '0200'), size)).toThrow(/padding/)
    expect(() => read(frame(0, 0, PADDED, 1, ''), size)).toThrow(/padding/)
  })

  it('larger than the setting are refused before their payload', () => {
    expect(() => read(Buffer.from([0, 0x40, 1, PING, 0, 0, 0, 0, 0]), 9)).toThrow(/exceeds/)
  })

  it('of a header block that does not fit into one are continued', () => {
    const block = Buffer.alloc(40_000, 'h')
    const all = written((output) => {
      const at = output.openHeaders(block.length)
      block.copy(output.bytes, at)
      output.closeHeaders(9, at + block.length, true, 16_384)
    })
    const found = read(all, 1 << 20)
    expect(found.map((text) => text.slice(0, 6))).toEqual(
      [`${HEADERS} 1 9 `, '9 0 9 ', '9 4 9 '].map((text) => expect.stringContaining(text)),
    )
    expect(found.map((text) => text.split(' ')[3]).join('')).toBe(block.toString('hex'))
  })

  it('share blocks between connections', () => {
    const pool = new BlockPool()
    const first = new Output(pool)
    first.settings([])
    const block = first.bytes
    first.take()
    first.written()
    const second = new Output(pool)
    second.settingsAck()
    expect(second.bytes).toBe(block)
    expect(second.take()[0]!.subarray(3, 5)).toEqual(Buffer.from([SETTINGS, 1]))
  })
})
