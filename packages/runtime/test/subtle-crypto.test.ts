import { createPublicKey, type JsonWebKey, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CryptoRuntime, privateKey, startCrypto } from './support/crypto-runtime.ts'

let started: CryptoRuntime
beforeAll(async () => {
  started = await startCrypto()
})
afterAll(() => started.runtime.stop())

describe('single operations over HTTP', () => {
  const post = (operation: string, body: object | string): Promise<Response> =>
    fetch(`${started.url}subtlecrypto/${operation}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const result = async (operation: string, body: object): Promise<Record<string, string>> => {
    const answer = await post(`vault/${operation}`, body)
    expect(answer.status, await answer.clone().text()).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    return (await answer.json()) as Record<string, string>
  }
  const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString('base64')

  test('getkey, as PEM and as JSON', async () => {
    for (const format of [undefined, 'PEM', 0, null]) {
      const { name, publicKey } = await result('getkey', { name: 'ed25519', format })
      expect(name).toBe('ed25519/v1')
      expect(publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
      expect(createPublicKey(publicKey!).equals(createPublicKey(privateKey))).toBe(true)
    }
    for (const format of ['JSON', 1]) {
      const { publicKey } = await result('getkey', { name: 'ed25519', format })
      const jwk = JSON.parse(publicKey!) as JsonWebKey
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
    expect(JSON.stringify(started.logger.records)).toContain('the padding has a WEAKNESS')
  })

  test('other methods are not there', async () => {
    expect((await fetch(`${started.url}subtlecrypto/vault/sign`)).status).not.toBe(200)
    expect((await fetch(`${started.url}crypto/vault/encrypt`, { method: 'POST' })).status).not.toBe(200)
  })
})
