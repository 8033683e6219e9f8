import { createPublicKey, generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type CryptoProvider, defineCryptoProvider } from '@outrigger/spec'
import { recordingLogger, type RecordingLogger } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRuntime, type CreateRuntimeOptions, type Runtime } from '../src/index.ts'
import { FakeCrypto } from './support/fake-crypto.ts'
import { schema, yaml } from './support/loading.ts'

const vector = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`vectors/enc-v1/${name}`, import.meta.url)))
const { privateKey } = generateKeyPairSync('ed25519')
const keys = {
  kek: Uint8Array.from({ length: 32 }, (_, index) => index),
  rsa: vector('rsa-key.pem'),
  ed25519: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
}

const definitionOf = (type: string, provider: CryptoProvider) =>
  defineCryptoProvider<{ v1: Record<string, string> }>({
    type,
    title: 'Test',
    versions: {
      v1: { metadata: schema(), capabilities: [...provider.capabilities], create: async () => provider },
    },
  })

const running: Runtime[] = []
async function start(options: Partial<CreateRuntimeOptions> = {}): Promise<Runtime> {
  const runtime = createRuntime({
    appId: 'shop',
    listen: true,
    listenAddresses: ['127.0.0.1'],
    httpPort: 0,
    grpcPort: 0,
    ...options,
  })
  running.push(runtime)
  await runtime.start()
  return runtime
}

const provider = new FakeCrypto(keys)
const weak: CryptoProvider = {
  capabilities: new Set(),
  algorithms: { encrypt: [], wrap: [], sign: [] },
  close: async () => {},
}
let runtime: Runtime
let logger: RecordingLogger

beforeAll(async () => {
  logger = recordingLogger()
  runtime = await start({
    resources: [yaml('vault', 'crypto.test'), yaml('weak', 'crypto.weak')],
    definitions: [definitionOf('crypto.test', provider), definitionOf('crypto.weak', weak)],
    logger,
    maxBodyBytes: 20 * 2 ** 20,
  })
})
afterAll(() => Promise.all(running.map((each) => each.stop())))

const urlOf = (path: string, of = runtime): string =>
  `http://127.0.0.1:${of.addresses.http[0]!.port}/v1.0-alpha1/${path}`

const put = (
  operation: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(urlOf(`crypto/${operation}`), { method: 'PUT', body: body as BodyInit, headers })

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
    const small = await start({
      resources: [yaml('vault', 'crypto.test')],
      definitions: [definitionOf('crypto.test', new FakeCrypto(keys))],
      maxBodyBytes: 100_000,
      logger,
    })
    const answer = await fetch(urlOf('crypto/vault/encrypt', small), {
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
    const none = await start({ logger })
    for (const path of ['crypto/vault/encrypt', 'crypto/vault/decrypt', 'subtlecrypto/vault/sign']) {
      const method = path.startsWith('crypto') ? 'PUT' : 'POST'
      const answer = await fetch(urlOf(path, none), { method, headers: named('kek') })
      expect(answer.status).toBe(500)
      expect(await answer.json()).toEqual({
        errorCode: 'ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED',
        message: 'crypto providers not configured',
      })
    }
  })
})

describe('single operations over HTTP', () => {
  const post = (operation: string, body: object | string): Promise<Response> =>
    fetch(urlOf(`subtlecrypto/${operation}`), {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const result = async (operation: string, body: object): Promise<Record<string, never>> => {
    const answer = await post(`vault/${operation}`, body)
    expect(answer.status, await answer.clone().text()).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    return (await answer.json()) as Record<string, never>
  }
  const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString('base64')

  test('getkey, as PEM and as JSON', async () => {
    for (const format of [undefined, 'PEM', 0, null]) {
      const { name, publicKey } = await result('getkey', { name: 'ed25519', format })
      expect(name).toBe('ed25519/v1')
      expect(publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
      expect(createPublicKey(publicKey).equals(createPublicKey(privateKey))).toBe(true)
    }
    for (const format of ['JSON', 1]) {
      const { publicKey } = await result('getkey', { name: 'ed25519', format })
      const jwk = JSON.parse(publicKey) as JsonWebKey
      expect(createPublicKey({ key: jwk, format: 'jwk' }).equals(createPublicKey(privateKey))).toBe(true)
    }
  })

  test('encrypt and decrypt', async () => {
    const common = {
      algorithm: 'A256GCM',
      keyName: 'kek',
      nonce: base64(randomBytes(12)),
      associatedData: base64('a'),
    }
    const sealed = await result('encrypt', { ...common, plaintext: base64('hello') })
    expect(Object.keys(sealed)).toEqual(['ciphertext', 'tag'])
    expect(await result('decrypt', { ...common, ...sealed })).toEqual({ plaintext: base64('hello') })
  })

  test('names of members in snake case, base64 for URLs without padding, members that are not known', async () => {
    const nonce = Buffer.from('fbffbffbffbffbffbffbffbf', 'hex')
    const sealed = await result('encrypt', {
      algorithm: 'A256GCM',
      key_name: 'kek',
      nonce: nonce.toString('base64url'),
      associated_data: 'YQ',
      plaintext: base64('hello'),
      component_name: 'another',
      future: { x: 1 },
    })
    const common = { algorithm: 'A256GCM', keyName: 'kek', nonce: base64(nonce), associatedData: base64('a') }
    expect(await result('decrypt', { ...common, ...sealed })).toEqual({ plaintext: base64('hello') })
  })

  test('wrapkey and unwrapkey, of symmetric keys in every form', async () => {
    const key = randomBytes(32)
    const common = { algorithm: 'A256KW', keyName: 'kek' }
    const jwk = JSON.stringify({ kty: 'oct', k: key.toString('base64url') })
    for (const plaintextKey of [key, key.toString('base64'), jwk]) {
      const { wrappedKey, ...rest } = await result('wrapkey', {
        ...common,
        plaintextKey: base64(plaintextKey),
      })
      expect(rest).toEqual({})
      expect(await result('unwrapkey', { ...common, wrappedKey })).toEqual({ plaintextKey: base64(key) })
    }
  })

  test('sign and verify', async () => {
    const common = { algorithm: 'EdDSA', keyName: 'ed25519', digest: base64('message') }
    const { signature } = await result('sign', common)
    expect(await result('verify', { ...common, signature })).toEqual({ valid: true })
    expect(await result('verify', { ...common, digest: base64('another'), signature })).toEqual({
      valid: false,
    })
    expect(await result('verify', { ...common, signature: '' })).toEqual({ valid: false })
  })

  const request = { algorithm: 'A256GCM', keyName: 'kek', nonce: base64(randomBytes(12)) }
  test.each<[string, object | string, number, string, string]>([
    [
      'nobody/getkey',
      { name: 'x' },
      400,
      'ERR_CRYPTO_PROVIDER_NOT_FOUND',
      'crypto provider nobody not found',
    ],
    ['nobody/verify', '', 400, 'ERR_CRYPTO_PROVIDER_NOT_FOUND', 'crypto provider nobody not found'],
    [
      'vault/getkey',
      { name: 'absent' },
      500,
      'ERR_CRYPTO_KEY',
      'failed to retrieve key absent: there is no key absent',
    ],
    ['weak/getkey', { name: 'x' }, 500, 'ERR_CRYPTO_KEY', 'this provider cannot do it'],
    [
      'vault/getkey',
      { name: 'ed25519', format: 2 },
      400,
      'ERR_BAD_REQUEST',
      'invalid request: invalid key format',
    ],
    [
      'vault/getkey',
      { name: 'ed25519', format: 'DER' },
      400,
      'ERR_MALFORMED_REQUEST',
      'format must be PEM or JSON',
    ],
    [
      'vault/encrypt',
      { ...request, nonce: '' },
      500,
      'ERR_CRYPTO',
      'failed to encrypt: a nonce of 12 bytes is needed',
    ],
    [
      'vault/encrypt',
      { ...request, algorithm: 'ROT13' },
      500,
      'ERR_CRYPTO',
      'failed to encrypt: no algorithm ROT13',
    ],
    [
      'vault/wrapkey',
      { ...request, plaintextKey: '' },
      500,
      'ERR_CRYPTO',
      'failed to wrap key: the plaintext key is no key',
    ],
    ['vault/sign', { ...request, keyName: 'leaky' }, 500, 'ERR_CRYPTO', 'failed to sign: unexpected error'],
    ['weak/sign', request, 500, 'ERR_CRYPTO', 'failed to sign: this provider cannot do it'],
    ['vault/sign', '{"digest":"SECRET!!"}', 400, 'ERR_MALFORMED_REQUEST', 'digest must be base64'],
    ['vault/sign', '{"digest":"SECRET', 400, 'ERR_MALFORMED_REQUEST', 'the body is not valid JSON'],
    ['vault/sign', '{"keyName":7}', 400, 'ERR_MALFORMED_REQUEST', 'keyName must be a string'],
    ['vault/sign', '["SECRET"]', 400, 'ERR_MALFORMED_REQUEST', 'an object is expected'],
    ['vault/sign', 'null', 400, 'ERR_MALFORMED_REQUEST', 'an object is expected'],
  ])('%s of %j: %d %s', async (operation, body, status, errorCode, text) => {
    const answer = await post(operation, body)
    expect(answer.status).toBe(status)
    const error = await answer.text()
    expect(JSON.parse(error)).toMatchObject({ errorCode, message: expect.stringContaining(text) as string })
    expect(error).not.toContain('SECRET')
  })

  test('a decryption that fails gives no reason, and the log has it', async () => {
    const answers = [
      await post('vault/decrypt', { ...request, ciphertext: base64('x'), tag: base64(randomBytes(16)) }),
      await post('vault/decrypt', { ...request, ciphertext: base64('x') }),
      await post('vault/decrypt', { ...request, keyName: 'absent' }),
    ]
    for (const answer of answers)
      expect(await answer.json()).toEqual({
        errorCode: 'ERR_CRYPTO',
        message: 'failed to perform operation: failed to decrypt',
      })
    const unwrap = await post('vault/unwrapkey', {
      algorithm: 'A256KW',
      keyName: 'kek',
      wrappedKey: base64('x'),
    })
    expect(await unwrap.json()).toMatchObject({
      message: 'failed to perform operation: failed to unwrap key',
    })
    expect(JSON.stringify(logger.records)).toContain('the padding has a WEAKNESS')
  })

  test('other methods are not there', async () => {
    expect((await fetch(urlOf('subtlecrypto/vault/sign'))).status).not.toBe(200)
    expect(
      (await fetch(urlOf('crypto/vault/encrypt'), { method: 'POST', headers: named('kek') })).status,
    ).not.toBe(200)
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
