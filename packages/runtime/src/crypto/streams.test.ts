import { constants, createCipheriv, createDecipheriv, privateDecrypt, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { decryptStream } from './decrypt.ts'
import { encryptStream } from './encrypt.ts'
import {
  EncryptionProblem,
  segmentBytes,
  type StreamCipher,
  streamCipherNamed,
  wrapAlgorithmNamed,
} from './scheme.ts'

const vectors = fileURLToPath(new URL('../../test/vectors/enc-v1/', import.meta.url))
const vector = (name: string): Buffer => readFileSync(vectors + name)
const rsaKey = vector('rsa-key.pem')
const kek = Uint8Array.from({ length: 32 }, (_, index) => index)
const iv = Buffer.alloc(8, 0xa6)
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const encrypt = async (
  plaintext: Uint8Array,
  { cipher = 'AES-GCM' as StreamCipher, keyName = 'kek', named = true, size = 1000 } = {},
): Promise<Buffer> =>
  collect(
    await encryptStream(chunked(plaintext, size), {
      wrapAlgorithm: 'A256KW',
      cipher,
      keyName: named ? keyName : undefined,
      wrap: (fileKey) => Promise.resolve(createCipheriv('id-aes256-wrap', kek, iv).update(fileKey)),
    }),
  )

const decrypt = async (
  sealed: Uint8Array,
  {
    keyName = undefined as string | undefined,
    size = 1000,
    asked = undefined as ((name: string) => void) | undefined,
  } = {},
): Promise<Buffer> =>
  collect(
    await decryptStream(chunked(sealed, size), {
      keyName,
      unwrap(wrapped, algorithm, name) {
        asked?.(name)
        try {
          const key =
            algorithm === 'RSA-OAEP-256'
              ? privateDecrypt({ key: rsaKey, ...oaep }, wrapped)
              : createDecipheriv('id-aes256-wrap', kek, iv).update(wrapped)
          return Promise.resolve(key)
        } catch {
          return Promise.resolve(undefined)
        }
      },
    }),
  )

const long = Buffer.from(
  Uint8Array.from({ length: segmentBytes + 1 }, (_, index) => (7 * index + (index >> 8)) & 255),
)

describe('streams that Dapr wrote', () => {
  test.each([
    ['aes-gcm.enc', undefined, 'kek', 'Ahoy from Go'],
    ['chacha20-unnamed.enc', 'given', 'given', 'Ahoy from Go'],
    ['rsa-renamed.enc', undefined, 'rsa/v2', 'Ahoy from Go'],
    ['empty.enc', undefined, 'kek', ''],
    ['two-segments.enc', undefined, 'k<é>&"', long],
    ['two-segments.enc', 'another', 'another', long],
  ])('%s, named %s', async (name, keyName, asked, plaintext) => {
    for (const size of [1, 7, 65_552, 1_000_000]) {
      const names: string[] = []
      const opened = await decrypt(vector(name), { keyName, size, asked: (each) => names.push(each) })
      expect(opened.equals(Buffer.from(plaintext))).toBe(true)
      expect(names).toEqual([asked])
    }
  })

  test('without a name, and without one given', async () => {
    await expect(decrypt(vector('chacha20-unnamed.enc'))).rejects.toThrow('does not name the key')
  })
})

describe('streams of our own', () => {
  const lengths = [
    0,
    1,
    16,
    segmentBytes - 1,
    segmentBytes,
    segmentBytes + 1,
    2 * segmentBytes,
    3 * segmentBytes + 17,
  ]
  for (const cipher of ['AES-GCM', 'CHACHA20-POLY1305'] as const) {
    test.each(lengths)(`%d bytes with ${cipher}, in chunks of any size`, async (length) => {
      const plaintext = randomBytes(length)
      for (const size of [977, segmentBytes, 3 * segmentBytes, 10 * segmentBytes]) {
        const sealed = await encrypt(plaintext, { cipher, size })
        const header = sealed.toString('latin1').split('\n', 3).join('\n').length + 1
        const count = Math.ceil(length / segmentBytes)
        expect(sealed.length).toBe(header + length + 16 * count)
        expect((await decrypt(sealed, { size })).equals(plaintext)).toBe(true)
      }
    })
  }

  test('chunks of no bytes are nothing', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      for (const text of ['', 'a', '', 'b', '']) yield Buffer.from(text)
    }
    const options = { wrapAlgorithm: 'A256KW', cipher: 'AES-GCM', keyName: 'kek' } as const
    const wrap = (key: Uint8Array) => Promise.resolve(createCipheriv('id-aes256-wrap', kek, iv).update(key))
    const sealed = await collect(await encryptStream(source(), { ...options, wrap }))
    expect((await decrypt(sealed)).toString()).toBe('ab')
  })

  test('the header is what the format says', async () => {
    const [scheme, manifest, mac] = (await encrypt(Buffer.from('x'))).toString('latin1').split('\n')
    expect(scheme).toBe('dapr.io/enc/v1')
    const { wfk, np, ...rest } = JSON.parse(manifest!) as { wfk: string; np: string }
    expect(rest).toEqual({ k: 'kek', kw: 1, cph: 1 })
    expect([wfk, np, mac!].map((each) => Buffer.from(each, 'base64').length)).toEqual([40, 7, 32])
    const unnamed = (await encrypt(Buffer.from('x'), { named: false })).toString('latin1').split('\n')
    expect(Object.keys(JSON.parse(unnamed[1]!) as object)).toEqual(['kw', 'wfk', 'cph', 'np'])
  })

  test('two streams of one text have nothing in common but their form', async () => {
    const [one, two] = [await encrypt(long), await encrypt(long)]
    expect(one.subarray(-1000).equals(two.subarray(-1000))).toBe(false)
    expect(one.toString('latin1').split('\n')[1]).not.toBe(two.toString('latin1').split('\n')[1])
  })

  test('a name that makes the header too long is refused', async () => {
    await expect(encrypt(long, { keyName: 'k'.repeat(66_000) })).rejects.toThrow('the header is longer than')
  })
})

/** What came out before the error. */
async function until(
  sealed: Uint8Array,
): Promise<{ readonly plaintext: Buffer; readonly problem: string | undefined }> {
  const chunks: Uint8Array[] = []
  try {
    const stream = await decryptStream(chunked(sealed, 10_000), {
      keyName: undefined,
      unwrap: (wrapped) => Promise.resolve(createDecipheriv('id-aes256-wrap', kek, iv).update(wrapped)),
    })
    for await (const chunk of stream) chunks.push(chunk)
  } catch (error) {
    return {
      plaintext: Buffer.concat(chunks),
      problem: error instanceof EncryptionProblem ? error.message : String(error),
    }
  }
  return { plaintext: Buffer.concat(chunks), problem: undefined }
}

describe('what was changed', async () => {
  const plaintext = randomBytes(3 * segmentBytes + 100)
  const sealed = await encrypt(plaintext)
  const header = sealed.toString('latin1').split('\n', 3).join('\n').length + 1
  const sealedSegment = segmentBytes + 16

  test.each([0, 1, 2, 3])('in segment %d gives nothing of it and nothing behind it', async (index) => {
    for (const offset of [0, 1, 40]) {
      const changed = Buffer.from(sealed)
      changed[header + index * sealedSegment + offset]! ^= 0x80
      const { plaintext: got, problem } = await until(changed)
      expect(problem).toContain(`segment ${index} cannot be decrypted`)
      expect(got.equals(plaintext.subarray(0, index * segmentBytes))).toBe(true)
    }
  })

  test('segments in another order, twice, or left out', async () => {
    const part = (index: number): Buffer =>
      sealed.subarray(header + index * sealedSegment, header + (index + 1) * sealedSegment)
    const start = sealed.subarray(0, header)
    for (const order of [
      [1, 0, 2, 3],
      [0, 2, 3],
      [0, 1, 1, 2, 3],
      [0, 1, 3],
      [3],
      [1, 2, 3],
      [0, 1, 2, 3, 3],
    ]) {
      const { problem } = await until(Buffer.concat([start, ...order.map(part)]))
      expect(problem, String(order)).toMatch(/segment \d cannot be decrypted/)
    }
  })

  test('a stream that was cut off anywhere fails, and gives only whole segments before', async () => {
    const cuts = [
      header + 1,
      header + 16,
      header + 17,
      header + sealedSegment,
      header + 2 * sealedSegment,
      header + 2 * sealedSegment + 5,
    ]
    for (const cut of [...cuts, sealed.length - 1, sealed.length - 16, sealed.length - 100]) {
      const { plaintext: got, problem } = await until(sealed.subarray(0, cut))
      expect(problem, `cut at ${cut}`).toMatch(/segment \d cannot be decrypted/)
      expect(got.equals(plaintext.subarray(0, got.length))).toBe(true)
      expect(got.length % segmentBytes).toBe(0)
    }
    for (let cut = 0; cut < header; cut += 9)
      expect((await until(sealed.subarray(0, cut))).problem, `cut at ${cut}`).toMatch(/^invalid header/)
  })

  test('more behind the end', async () => {
    for (const more of [1, 16, 17, 70_000])
      expect((await until(Buffer.concat([sealed, randomBytes(more)]))).problem).toContain(
        'segment 3 cannot be decrypted',
      )
  })

  test('any bit of the header', async () => {
    for (let at = 0; at < header; at++) {
      for (const bit of [0x01, 0x20]) {
        const changed = Buffer.from(sealed)
        changed[at]! ^= bit
        const { plaintext: got, problem } = await until(changed)
        expect(got).toHaveLength(0)
        expect(problem, `byte ${at}`).toBeDefined()
      }
    }
  })
})

describe('what is no such stream', () => {
  const lines = (manifest: string, mac = 'AAAA'): Buffer =>
    Buffer.from(`dapr.io/enc/v1\n${manifest}\n${mac}\n`)
  const right = { k: 'kek', kw: 1, wfk: 'AAAA', cph: 1, np: Buffer.alloc(7).toString('base64') }
  test.each<readonly [string, Buffer, RegExp]>([
    ['nothing', Buffer.from(''), /ends within/],
    ['another format', Buffer.from('PK\u0003\u0004'.repeat(100_000)), /does not begin with/],
    ['another version', Buffer.from('dapr.io/enc/v2\n{}\nx\n'), /does not begin with/],
    ['a longer name', Buffer.from('dapr.io/enc/v1.1\n{}\nx\n'), /does not begin with/],
    ['a line that does not end', Buffer.from(`dapr.io/enc/v1\n${'x'.repeat(200_000)}`), /longer than 65536/],
    [
      'a MAC that does not end',
      Buffer.from(`dapr.io/enc/v1\n{}\n${'x'.repeat(200_000)}`),
      /longer than 65536/,
    ],
    ['no JSON', lines('{'), /invalid manifest/],
    ['null', lines('null'), /invalid manifest/],
    ['a list', lines('[]'), /invalid manifest/],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('dapr.io/enc/v1\n{"k":"'), Buffer.of(0xff), lines('"}')]),
      /manifest/,
    ],
    ...(
      [
        { kw: 0 },
        { kw: 6 },
        { kw: 'A256KW' },
        { cph: 3 },
        { cph: null },
        { np: 'AAAA' },
        { np: 7 },
        { wfk: '' },
        { wfk: '!!!!' },
        { wfk: undefined },
        { k: 7 },
      ] as const
    ).map(
      (wrong) =>
        [JSON.stringify(wrong), lines(JSON.stringify({ ...right, ...wrong })), /invalid manifest/] as const,
    ),
    ['a MAC that is none', lines(JSON.stringify({ ...right, wfk: 'AAAA' })), /signature of the header/],
  ])('%s', async (_, bytes, message) => {
    await expect(decrypt(bytes, { size: 100 })).rejects.toThrow(EncryptionProblem)
    await expect(decrypt(bytes, { size: 100_000 })).rejects.toThrow(message)
  })

  test('a file key that cannot be unwrapped looks like a header that was changed, even one of zeros', async () => {
    const sealed = await encrypt(long)
    const answers = [undefined, new Uint8Array(31), new Uint8Array(32), randomBytes(32)]
    for (const answer of answers) {
      const opened = decryptStream(chunked(sealed, 1000), {
        keyName: undefined,
        unwrap: () => Promise.resolve(answer),
      })
      await expect(opened).rejects.toThrow('the signature of the header is not right')
    }
  })
})

describe('the source', () => {
  /** Counts how far it was read, and whether it was told that no more is wanted. */
  function source(bytes: Uint8Array, size: number) {
    const state = { read: 0, ended: false }
    async function* generate(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of chunked(bytes, size)) {
          state.read += chunk.length
          yield chunk
        }
      } finally {
        state.ended = true
      }
    }
    return { state, stream: generate() }
  }
  const wrap = (key: Uint8Array) => Promise.resolve(createCipheriv('id-aes256-wrap', kek, iv).update(key))
  const unwrap = (key: Uint8Array) => Promise.resolve(createDecipheriv('id-aes256-wrap', kek, iv).update(key))
  const options = { wrapAlgorithm: 'A256KW', cipher: 'AES-GCM', keyName: 'kek' } as const

  test('is read no further than one segment and one chunk ahead of the result', async () => {
    const plaintext = randomBytes(20 * segmentBytes)
    const plain = source(plaintext, 5000)
    const encrypted = await encryptStream(plain.stream, { ...options, wrap })
    expect(plain.state.read).toBe(0)
    let written = 0
    const parts: Uint8Array[] = []
    for await (const part of encrypted) {
      parts.push(part)
      written += part.length
      expect(plain.state.read - written).toBeLessThanOrEqual(segmentBytes + 5000)
    }
    expect(plain.state.ended).toBe(true)

    const sealed = source(Buffer.concat(parts), 5000)
    const decrypted = await decryptStream(sealed.stream, { keyName: undefined, unwrap })
    expect(sealed.state.read).toBeLessThanOrEqual(5000)
    written = 0
    for await (const part of decrypted) {
      written += part.length
      expect(sealed.state.read - written).toBeLessThanOrEqual(2 * segmentBytes)
    }
  })

  test('is let go when the result is not wanted any more, and when it is not right', async () => {
    const plain = source(randomBytes(5 * segmentBytes), 5000)
    for await (const part of await encryptStream(plain.stream, { ...options, wrap }))
      if (part.length > 60_000) break
    expect(plain.state.ended).toBe(true)

    const sealed = source(await encrypt(randomBytes(5 * segmentBytes)), 5000)
    for await (const part of await decryptStream(sealed.stream, { keyName: undefined, unwrap }))
      if (part) break
    expect(sealed.state).toMatchObject({ ended: true })

    const wrong = source(Buffer.alloc(100_000), 5000)
    await expect(decryptStream(wrong.stream, { keyName: undefined, unwrap })).rejects.toThrow(
      'does not begin',
    )
    expect(wrong.state).toMatchObject({ ended: true, read: 5000 })
  })

  test('that fails makes the result fail with its error', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield randomBytes(100_000)
      throw new Error('the caller went away')
    }
    const encrypted = await encryptStream(failing(), { ...options, wrap })
    await expect(collect(encrypted)).rejects.toThrow('the caller went away')
  })
})

test('names of algorithms and ciphers are read in upper and lower case, and aliases', () => {
  expect(wrapAlgorithmNamed('aes')).toBe('A256KW')
  expect(wrapAlgorithmNamed('RSA')).toBe('RSA-OAEP-256')
  expect(wrapAlgorithmNamed('a192cbc-nopad')).toBe('A192CBC-NOPAD')
  expect(streamCipherNamed(undefined)).toBe('AES-GCM')
  expect(streamCipherNamed('chacha20-poly1305')).toBe('CHACHA20-POLY1305')
  for (const name of ['constructor', 'A128KW', '__proto__'])
    expect(() => wrapAlgorithmNamed(name)).toThrow(`${JSON.stringify(name)} is not supported`)
  expect(() => streamCipherNamed('aes-cbc')).toThrow('it is one of AES-GCM, CHACHA20-POLY1305')
})
