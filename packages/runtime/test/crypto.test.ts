import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { RecordingLogger } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime } from '../src/index.ts'
import { type CryptoRuntime, startCrypto, vector } from './support/crypto-runtime.ts'

const running: CryptoRuntime[] = []
async function start(options: Parameters<typeof startCrypto>[0] = {}): Promise<CryptoRuntime> {
  const started = await startCrypto(options)
  running.push(started)
  return started
}

let runtime: Runtime
let logger: RecordingLogger
let url: string

beforeAll(async () => {
  ;({ runtime, logger, url } = await start({ maxBodyBytes: 20 * 2 ** 20 }))
})
afterAll(() => Promise.all(running.map((each) => each.runtime.stop())))

const put = (
  operation: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Response> => fetch(`${url}crypto/${operation}`, { method: 'PUT', body, headers })

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer())
const named = (keyName: string, algorithm = 'A256KW'): Record<string, string> => ({
  'dapr-key-name': keyName,
  'dapr-key-wrap-algorithm': algorithm,
})
const manifestOf = (sealed: Buffer): Record<string, unknown> =>
  JSON.parse(sealed.toString('latin1').split('\n')[1]!) as Record<string, unknown>

describe('encrypted streams over HTTP', () => {
  test.each([
    ['kek', 'A256KW', 1],
    ['kek', 'aes', 1],
    ['kek', 'A128CBC-NOPAD', 2],
    ['kek', 'A192CBC-NOPAD', 3],
    ['kek', 'a256cbc-nopad', 4],
    ['rsa', 'RSA-OAEP-256', 5],
    ['rsa', 'RSA', 5],
  ])('key %s, algorithm %s', async (keyName, algorithm, kw) => {
    for (const [cipher, cph] of [['aes-gcm', 1] as const, ['CHACHA20-POLY1305', 2] as const]) {
      const plaintext = randomBytes(100_000)
      const answer = await put('vault/encrypt', plaintext, {
        ...named(keyName, algorithm),
        'dapr-data-encryption-cipher': cipher,
      })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('application/octet-stream')
      const sealed = await bytesOf(answer)
      expect(manifestOf(sealed)).toMatchObject({ k: keyName, kw, cph })
      const opened = await put('vault/decrypt', sealed)
      expect(opened.headers.get('content-type')).toBe('application/octet-stream')
      expect((await bytesOf(opened)).equals(plaintext)).toBe(true)
    }
  })

  test('the name in the stream can be another one, or none', async () => {
    const renamed = await bytesOf(
      await put('vault/encrypt', 'x', { ...named('rsa', 'RSA'), 'dapr-decryption-key-name': 'rsa/v2' }),
    )
    expect(manifestOf(renamed)['k']).toBe('rsa/v2')
    expect(await (await put('vault/decrypt', renamed)).text()).toBe('x')

    for (const truth of ['true', '1', 'YES']) {
      const headers = {
        ...named('kek'),
        'dapr-omit-decryption-key-name': truth,
        'dapr-decryption-key-name': 'other',
      }
      const unnamed = await bytesOf(await put('vault/encrypt', 'x', headers))
      expect(Object.keys(manifestOf(unnamed))).not.toContain('k')
      expect((await put('vault/decrypt', unnamed)).status).toBe(500)
      expect(await (await put('vault/decrypt', unnamed, { 'dapr-key-name': 'kek' })).text()).toBe('x')
    }
  })

  test.each([
    ['aes-gcm.enc', {}, 'Ahoy from Go'],
    ['rsa-renamed.enc', {}, 'Ahoy from Go'],
    ['chacha20-unnamed.enc', { 'dapr-key-name': 'kek' }, 'Ahoy from Go'],
    ['empty.enc', {}, ''],
  ])('what Dapr wrote: %s', async (name, headers, text) => {
    const answer = await put('vault/decrypt', vector(name), headers)
    expect([answer.status, await answer.text()]).toEqual([200, text])
  })

  test('nothing becomes a header, and that nothing again', async () => {
    const sealed = await bytesOf(await put('vault/encrypt', '', named('kek')))
    const answer = await put('vault/decrypt', sealed)
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })

  test.each<[string, string, Record<string, string>, number, string, string]>([
    [
      'nobody/encrypt',
      'x',
      named('kek'),
      400,
      'ERR_CRYPTO_PROVIDER_NOT_FOUND',
      'crypto provider nobody not found',
    ],
    ['nobody/encrypt', 'x', {}, 400, 'ERR_CRYPTO_PROVIDER_NOT_FOUND', 'crypto provider nobody not found'],
    ['nobody/decrypt', 'x', {}, 400, 'ERR_CRYPTO_PROVIDER_NOT_FOUND', 'crypto provider nobody not found'],
    [
      'vault/encrypt',
      'x',
      { 'dapr-key-wrap-algorithm': 'AES' },
      400,
      'ERR_BAD_REQUEST',
      "missing header 'dapr-key-name'",
    ],
    [
      'vault/encrypt',
      'x',
      { 'dapr-key-name': 'kek' },
      400,
      'ERR_BAD_REQUEST',
      "missing header 'dapr-key-wrap-algorithm'",
    ],
    ['vault/encrypt', 'x', named('kek', 'A128KW'), 500, 'ERR_CRYPTO', '"A128KW" is not supported'],
    [
      'vault/encrypt',
      'x',
      { ...named('kek'), 'dapr-data-encryption-cipher': 'rot13' },
      500,
      'ERR_CRYPTO',
      '"rot13" is not supported',
    ],
    [
      'vault/encrypt',
      'x',
      named('absent'),
      500,
      'ERR_CRYPTO',
      'failed to wrap the file key: there is no key absent',
    ],
    ['vault/encrypt', 'x', named('down'), 500, 'ERR_CRYPTO', 'the vault cannot be reached'],
    ['vault/encrypt', 'x', named('leaky'), 500, 'ERR_CRYPTO', 'unexpected error in the component'],
    ['weak/encrypt', 'x', named('kek'), 500, 'ERR_CRYPTO', 'this provider cannot wrap keys'],
    ['vault/decrypt', 'x', {}, 500, 'ERR_CRYPTO', 'does not begin with dapr.io/enc/v1'],
    ['vault/decrypt', '', {}, 500, 'ERR_CRYPTO', 'the stream ends within it'],
  ])('%s of %j with %j: %d %s', async (operation, body, headers, status, errorCode, text) => {
    const answer = await put(operation, body, headers)
    expect(answer.status).toBe(status)
    const error = (await answer.json()) as { errorCode: string; message: string }
    expect(error).toMatchObject({ errorCode, message: expect.stringContaining(text) as string })
    expect(JSON.stringify(error)).not.toContain('SECRET')
  })

  test('a key that is not there, one that is not right and a header that was changed look the same', async () => {
    const sealed = vector('aes-gcm.enc')
    const changed = Buffer.from(sealed)
    changed[60] = changed[60] === 0x41 ? 0x42 : 0x41
    const answers = [
      await put('vault/decrypt', sealed, { 'dapr-key-name': 'absent' }),
      await put('vault/decrypt', vector('rsa-renamed.enc').fill('A', 60, 80)),
      await put('vault/decrypt', changed),
    ]
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toContain('the signature of the header is not right')
    const down = await put('vault/decrypt', sealed, { 'dapr-key-name': 'down' })
    expect(await down.text()).toContain('the vault cannot be reached')
    expect(JSON.stringify(logger.records)).toContain('the wrapping has a WEAKNESS')
  })

  test('what was changed has a status while it fits into what is gathered', async () => {
    const sealed = await bytesOf(await put('vault/encrypt', randomBytes(1_000_000), named('kek')))
    sealed[sealed.length - 1]! ^= 1
    const answer = await put('vault/decrypt', sealed)
    expect(answer.status).toBe(500)
    expect(await answer.json()).toMatchObject({
      errorCode: 'ERR_CRYPTO',
      message: expect.stringContaining('segment 15 cannot be decrypted') as string,
    })
  })

  test('and breaks the answer off when it is longer, after what is right', async () => {
    const plaintext = randomBytes(10_000_000)
    const sealed = await bytesOf(await put('vault/encrypt', plaintext, named('kek')))
    expect((await bytesOf(await put('vault/decrypt', sealed))).equals(plaintext)).toBe(true)
    sealed[sealed.length - 1]! ^= 1
    const answer = await put('vault/decrypt', sealed)
    expect(answer.status).toBe(200)
    let got = 0
    const read = async (): Promise<void> => {
      for await (const chunk of answer.body!) {
        expect(Buffer.from(chunk).equals(plaintext.subarray(got, got + chunk.length))).toBe(true)
        got += chunk.length
      }
    }
    await expect(read()).rejects.toThrow()
    expect(got).toBeLessThan(plaintext.length)
    // The sidecar is as before.
    expect((await put('vault/decrypt', vector('empty.enc'))).status).toBe(200)
  })

  test('a client that reads only when it has sent everything comes through', async () => {
    const plaintext = randomBytes(4_000_000)
    const socket = connect(runtime.addresses.http[0]!.port!, '127.0.0.1')
    socket.pause()
    const head = `PUT /v1.0-alpha1/crypto/vault/encrypt HTTP/1.1\r\nhost: x\r\nconnection: close\r\ndapr-key-name: kek\r\ndapr-key-wrap-algorithm: AES\r\ncontent-length: ${plaintext.length}\r\n\r\n`
    socket.write(head)
    await new Promise<void>((resolve, reject) =>
      socket.write(plaintext, (error) => (error ? reject(error) : resolve())),
    )
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    const answer = Buffer.concat(chunks)
    expect(answer.toString('latin1', 0, 15)).toBe('HTTP/1.1 200 OK')
    const sealed = answer.subarray(answer.indexOf('\r\n\r\n') + 4)
    expect((await bytesOf(await put('vault/decrypt', sealed))).equals(plaintext)).toBe(true)
  })

  test('a body over the limit is a 400 that says so', async () => {
    const small = await start({ maxBodyBytes: 100_000 })
    const answer = await fetch(`${small.url}crypto/vault/encrypt`, {
      method: 'PUT',
      body: randomBytes(100_001),
      headers: named('kek'),
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      errorCode: 'ERR_BODY_READ',
      message: expect.stringContaining('--max-body-size') as string,
    })
  })

  test('without any provider', async () => {
    const none = await start({ resources: [] })
    for (const path of ['crypto/vault/encrypt', 'crypto/vault/decrypt', 'subtlecrypto/vault/sign']) {
      const method = path.startsWith('crypto') ? 'PUT' : 'POST'
      const answer = await fetch(none.url + path, { method, headers: named('kek') })
      expect(answer.status).toBe(500)
      expect(await answer.json()).toEqual({
        errorCode: 'ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED',
        message: 'crypto providers not configured',
      })
    }
  })
})

describe('in-process', () => {
  async function* source(...texts: string[]): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield Buffer.from(text)
  }
  const text = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }

  test('streams go in and out, and are read as they are wanted', async () => {
    const { crypto } = runtime.api
    const sealed = await crypto.encrypt(
      { componentName: 'vault', keyName: 'kek', keyWrapAlgorithm: 'AES', data: source('one ', 'two') },
      {},
    )
    expect(await text(await crypto.decrypt({ componentName: 'vault', data: sealed }, {}))).toBe('one two')
    await expect(
      crypto.encrypt({ componentName: 'vault', keyName: '', keyWrapAlgorithm: 'AES', data: source() }, {}),
    ).rejects.toMatchObject({ id: 'BAD_REQUEST' })
    await expect(crypto.decrypt({ componentName: 'vault', data: source('x') }, {})).rejects.toMatchObject({
      id: 'CRYPTO',
    })
  })

  test('an error on the way is an ApiError too', async () => {
    const changed = vector('two-segments.enc')
    changed[changed.length - 1]! ^= 1
    async function* data(): AsyncGenerator<Uint8Array> {
      yield changed
    }
    const stream = await runtime.api.crypto.decrypt(
      { componentName: 'vault', keyName: 'kek', data: data() },
      {},
    )
    await expect(text(stream)).rejects.toMatchObject({ id: 'CRYPTO' })
  })

  test('single operations', async () => {
    const { subtleCrypto } = runtime.api
    const request = { algorithm: 'EdDSA', keyName: 'ed25519', digest: Buffer.from('message') }
    const signature = await subtleCrypto.sign('vault', request, {})
    expect(await subtleCrypto.verify('vault', { ...request, signature }, {})).toBe(true)
  })

  test('the metadata names the components, and no capability: Dapr has none for them', () => {
    const { components } = runtime.api.metadata.get()
    expect(components).toContainEqual({ name: 'vault', type: 'crypto.test', version: 'v1', capabilities: [] })
  })
})
