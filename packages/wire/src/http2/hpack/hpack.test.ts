import { describe, expect, it } from 'vitest'
import { HpackDecoder } from './decoder.ts'
import { blockOverhead, fieldOverhead, HpackEncoder } from './encoder.ts'
import { INVALID, PADDED, PLAIN } from './field-kind.ts'
import { decodeHuffman, encodeHuffman, huffmanLength, huffmanOutput } from './huffman.ts'

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
}

function decode(decoder: HpackDecoder, block: Buffer): string[] {
  const fields: string[] = []
  decoder.decode(block, 0, block.length, { field: (name, value) => fields.push(`${name}: ${value}`) })
  return fields
}

function encode(encoder: HpackEncoder, fields: readonly (readonly [string, string])[]): Buffer {
  const room = fields.reduce((sum, [name, value]) => sum + name.length + value.length + fieldOverhead, 0)
  const out = Buffer.alloc(room + blockOverhead)
  let at = encoder.begin(out, 0)
  for (const [name, value] of fields) at = encoder.field(out, at, name, value)
  return out.subarray(0, at)
}

/** Repeatable numbers for the property tests (mulberry32). */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) % 4294967296) % below
  }
}

describe('the examples of RFC 7541, appendix C', () => {
  it('C.2: single fields', () => {
    const decoder = new HpackDecoder()
    const cases: [string, string, number][] = [
      ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key: custom-header', 55],
      ['040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path', 55],
      ['1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret', 55],
      ['82', ':method: GET', 55],
    ]
    for (const [block, field, size] of cases) {
      expect(decode(decoder, hex(block))).toEqual([field])
      expect(decoder.tableSize).toBe(size)
    }
  })

  const requests: [string, string, string[], number][] = [
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
      57,
    ],
    [
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8286 84be 5886 a8eb 1064 9cbf',
      [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
      110,
    ],
    [
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      [
        ':method: GET',
        ':scheme: https',
        ':path: /index.html',
        ':authority: www.example.com',
        'custom-key: custom-value',
      ],
      164,
    ],
  ]
  it.each([
    ['C.3: requests, plain', 0],
    ['C.4: requests, Huffman-coded', 1],
  ])('%s', (_, form) => {
    const decoder = new HpackDecoder()
    for (const [plain, huffman, fields, size] of requests) {
      expect(decode(decoder, hex(form === 0 ? plain : huffman))).toEqual(fields)
      expect(decoder.tableSize).toBe(size)
    }
  })

  const first = [
    ':status: 302',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ]
  const responses: [string, string, string[], number][] = [
    [
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
       3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
       1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      first,
      222,
    ],
    ['4803 3330 37c1 c0bf', '4883 640e ffc1 c0bf', [':status: 307', ...first.slice(1)], 222],
    [
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
       7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
       6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
       e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      [
        ':status: 200',
        'cache-control: private',
        'date: Mon, 21 Oct 2013 20:13:22 GMT',
        'location: https://www.example.com',
        'content-encoding: gzip',
        'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
      ],
      215,
    ],
  ]
  it.each([
    ['C.5: responses with eviction, plain', 0],
    ['C.6: responses with eviction, Huffman-coded', 1],
  ])('%s', (_, form) => {
    const decoder = new HpackDecoder(256)
    for (const [plain, huffman, fields, size] of responses) {
      expect(decode(decoder, hex(form === 0 ? plain : huffman))).toEqual(fields)
      expect(decoder.tableSize).toBe(size)
    }
  })
})

describe('the Huffman code', () => {
  it('writes the strings of appendix C as the appendix does', () => {
    const cases = [
      ['www.example.com', 'f1e3 c2e5 f23a 6ba0 ab90 f4ff'],
      ['custom-value', '25a8 49e9 5bb8 e8b4 bf'],
      ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
    ]
    for (const [text, code] of cases) {
      const out = Buffer.alloc(100)
      const end = encodeHuffman(text!, out, 0)
      expect(out.subarray(0, end)).toEqual(hex(code!))
      expect(huffmanLength(text!)).toBe(end)
    }
  })

  it('reads back every byte beside every other', () => {
    const all: number[] = []
    for (let one = 0; one < 256; one++) for (let other = 0; other < 256; other += 5) all.push(one, other)
    const text = Buffer.from(all).toString('latin1')
    const out = Buffer.alloc(text.length * 4)
    const end = encodeHuffman(text, out, 0)
    expect(huffmanLength(text)).toBe(end)
    expect(decodeHuffman(out, 0, end)).toBe(all.length)
    expect(Buffer.compare(huffmanOutput().subarray(0, all.length), Buffer.from(all))).toBe(0)
  })

  it.each([
    ['padding of zeros', '18'],
    ['padding of a whole byte', '1fff'],
    ['the end of a string', 'ffffffff'],
  ])('refuses %s', (_, code) => {
    expect(() => decodeHuffman(hex(code), 0, hex(code).length)).toThrow(/Huffman/)
  })
})

describe('the decoder', () => {
  it.each([
    ['index 0', '80'],
    ['an index behind the table', 'c6'],
    ['a name index behind the table', '7f80 0161'],
    ['a cut integer', 'ff'],
    ['a huge integer', 'ffff ffff ffff ff0f'],
    ['a string longer than its block', '4005 6162'],
    ['a field without value', '4001 61'],
    ['a size update beyond the setting', '3fe2 1f'],
    ['a size update behind a field', '8220'],
  ])('refuses %s', (_, block) => {
    expect(() => decode(new HpackDecoder(), hex(block))).toThrow()
  })

  it('keeps no more than its table, whatever is put in', () => {
    const decoder = new HpackDecoder()
    const value = Buffer.alloc(4000, 'x')
    for (let round = 0; round < 50; round++) {
      decode(decoder, Buffer.concat([hex('4001 61 7fa1 1e'), value]))
      expect(decoder.tableSize).toBe(4033)
    }
    // Larger than the table: it empties it.
    decode(decoder, Buffer.concat([hex('4001 61 7fc2 1f'), Buffer.alloc(4161, 'x')]))
    expect(decoder.tableSize).toBe(0)
  })

  it('marks names and values that must not occur, also when they come from the table', () => {
    const kinds: number[] = []
    const decoder = new HpackDecoder()
    const blocks = ['4001 41 01 62', '4001 61 03 620a62', 'be', '7e01 63', '4001 61 02 2062', '4000 0162']
    for (const block of blocks) {
      const bytes = hex(block)
      decoder.decode(bytes, 0, bytes.length, { field: (_name, _value, kind) => kinds.push(kind) })
    }
    expect(kinds).toEqual([INVALID, INVALID, INVALID, PLAIN, PADDED, INVALID])
  })

  it('counts blanks that are taken off, as the other side has them in its table', () => {
    const decoder = new HpackDecoder()
    decode(decoder, hex('4001 61 03 206220'))
    expect(decoder.tableSize).toBe(1 + 3 + 32)
    expect(decode(decoder, hex('be'))).toEqual(['a:  b '])
  })
})

describe('the encoder', () => {
  it('indexes what repeats, and only that', () => {
    const encoder = new HpackEncoder()
    const fields = (id: number): [string, string][] => [
      [':status', '200'],
      ['content-type', 'application/json'],
      ['traceparent', `00-${String(id).padStart(32, '0')}-0000000000000001-01`],
    ]
    const sizes = [1, 2, 3, 4].map((id) => encode(encoder, fields(id)).length)
    expect(sizes[0]! - sizes[2]!).toBe('application/json'.length + 2)
    expect(sizes[3]).toBe(sizes[2])
    expect(encoder.tableSize).toBe('content-type'.length + 'application/json'.length + 32)
  })

  it.each(['authorization', 'Dapr-Api-Token', 'cookie', 'set-cookie', 'proxy-authorization'])(
    'never indexes %s and forbids others to',
    (name) => {
      const encoder = new HpackEncoder()
      for (let round = 0; round < 3; round++) {
        expect(encode(encoder, [[name, 'secret']])[0]! & 0xf0).toBe(0x10)
      }
      expect(encoder.tableSize).toBe(0)
    },
  )

  it('tells the decoder of a smaller and a larger table', () => {
    const encoder = new HpackEncoder()
    const decoder = new HpackDecoder()
    const field: [string, string][] = [['x-a', 'b']]
    for (let round = 0; round < 3; round++) decode(decoder, encode(encoder, field))
    expect(decoder.tableSize).toBe(36)
    encoder.resize(0)
    encoder.resize(100)
    const block = encode(encoder, field)
    expect(block.subarray(0, 3)).toEqual(hex('20 3f45'))
    expect(decode(decoder, block)).toEqual(['x-a: b'])
    expect(encoder.tableSize).toBe(decoder.tableSize)
  })

  it('is understood, whatever it sends (random)', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = numbers(seed)
      const encoder = new HpackEncoder()
      const decoder = new HpackDecoder()
      const names = Array.from({ length: 1 + next(30) }, (_, index) => `x-${'n'.repeat(next(20))}${index}`)
      names.push('content-type', ':path', 'cookie', 'etag', 'accept-encoding')
      for (let round = 0; round < 200; round++) {
        if (next(40) === 0) encoder.resize(next(5000))
        const fields = Array.from({ length: next(12) }, (): [string, string] => {
          const value = String.fromCharCode(...Array.from({ length: next(60) }, () => 33 + next(94)))
          return [names[next(names.length)]!, next(3) === 0 ? value : `v${next(12)}`]
        })
        expect(decode(decoder, encode(encoder, fields))).toEqual(
          fields.map(([name, value]) => `${name}: ${value}`),
        )
        expect(decoder.tableSize).toBe(encoder.tableSize)
      }
    }
  })
})
