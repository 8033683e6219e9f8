import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { isComponentError } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { keyFromObject } from './key.ts'
import { encodePss, verifyPss } from './pss.ts'
import { signatures } from './signatures.ts'

const message = Buffer.from('three bottles of rum')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
// One bit more than whole bytes: the encoded message of PSS is a byte shorter than the modulus then.
const oddRsa = generateKeyPairSync('rsa', { modulusLength: 2049 }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const curve = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING }
const cases: readonly (readonly [string, KeyObject, object])[] = ([256, 384, 512] as const)
  .flatMap((bits): (readonly [string, KeyObject, object])[] => [
    [`RS${bits}`, rsa, {}],
    [`RS${bits}`, oddRsa, {}],
    [`PS${bits}`, rsa, pss],
    [`PS${bits}`, oddRsa, pss],
    [`ES${bits}`, curve(`P-${bits === 512 ? 521 : bits}`), { dsaEncoding: 'der' }],
  ])
  .concat([['EdDSA', ed25519, {}]])

// Node.js signs messages and we digests: each must accept what the other made.
describe.each(cases)('%s', (name, object, settings) => {
  const hash = name === 'EdDSA' ? null : `sha${name.slice(2)}`
  const digest = hash === null ? message : createHash(hash).update(message).digest()
  const key = keyFromObject(object)
  const algorithm = signatures.get(name)!

  test('signs what OpenSSL verifies, and verifies what OpenSSL signs', async () => {
    for (let round = 0; round < 5; round++) {
      const mine = await algorithm.sign(key, digest)
      expect(verify(hash, message, { key: key.publicKey!, ...settings }, mine)).toBe(true)
      expect(await algorithm.verify(key, digest, sign(hash, message, { key: object, ...settings }))).toBe(
        true,
      )
    }
  })

  test('whatever is not the signature is false', async () => {
    const signature = Buffer.from(await algorithm.sign(key, digest))
    for (const bad of [
      Buffer.alloc(0),
      randomBytes(7),
      randomBytes(signature.length),
      Buffer.alloc(signature.length, 0xff),
      signature.subarray(1),
      Buffer.concat([signature, Buffer.of(0)]),
      Buffer.from(signature.map((byte, index) => (index === 9 ? byte ^ 1 : byte))),
    ])
      expect(await algorithm.verify(key, digest, bad)).toBe(false)
    const other = createHash('sha512').update('other').digest().subarray(0, digest.length)
    expect(await algorithm.verify(key, other, signature)).toBe(false)
  })

  test('refuses keys and digests that do not fit', async () => {
    const wrong = [{ secret: randomBytes(32) }, keyFromObject(name.startsWith('E') ? rsa : ed25519)]
    for (const each of wrong) {
      await expect(async () => algorithm.sign(each, digest)).rejects.toSatisfy(isInvalid)
      await expect(async () => algorithm.verify(each, digest, digest)).rejects.toSatisfy(isInvalid)
    }
    const publicOnly = keyFromObject(key.publicKey!)
    await expect(async () => algorithm.sign(publicOnly, digest)).rejects.toThrow(/private key/)
    if (hash !== null) await expect(async () => algorithm.sign(key, message)).rejects.toThrow(/digest/)
  })
})

const isInvalid = (error: unknown): boolean => isComponentError(error) && error.code === 'INVALID_ARGUMENT'

test('a salt of any length is right, a wrong one is not', () => {
  const digest = createHash('sha256').update(message).digest()
  const bits = 2047
  const encoded = encodePss(digest, 'sha256', bits)!
  expect(verifyPss(digest, encoded, 'sha256', bits)).toBe(true)
  for (let at = 0; at < encoded.length; at++) {
    const changed = Buffer.from(encoded)
    changed[at]! ^= 0x40
    expect(verifyPss(digest, changed, 'sha256', bits), `byte ${at}`).toBe(false)
  }
  const signature = sign('sha256', message, { key: rsa, ...pss, saltLength: 0 })
  expect(signatures.get('PS256')!.verify(keyFromObject(rsa), digest, signature)).toBe(true)
  expect(encodePss(digest, 'sha256', 300)).toBeUndefined()
})

test('an RSA key that is too short says so', async () => {
  const short = keyFromObject(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey)
  expect(() => signatures.get('PS512')!.sign(short, randomBytes(64))).toThrow('too short for PS512')
  expect(() => signatures.get('RS512')!.sign(short, randomBytes(64))).toThrow('too short for RS512')
})
