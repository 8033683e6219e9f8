import {
  constants,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  sign as signMessage,
  timingSafeEqual,
  verify as verifyMessage,
} from 'node:crypto'
import { rsaKey } from './ciphers.ts'
import { invalid } from './errors.ts'
import type { LocalKey } from './key.ts'
import { encodePss, verifyPss } from './pss.ts'

/** One algorithm for signatures. Throws ComponentErrors only; a signature of the wrong shape is just not right. */
export interface Signature {
  sign(key: LocalKey, digest: Uint8Array): Uint8Array | Promise<Uint8Array>
  verify(key: LocalKey, digest: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

type Bits = 256 | 384 | 512

function checkDigest(digest: Uint8Array, name: string, bits: Bits): void {
  if (digest.length !== bits / 8)
    throw invalid(`${name} needs a SHA-${bits} digest of ${bits / 8} bytes, got ${digest.length} bytes`)
}

/** The DER of DigestInfo before the digest (RFC 8017, 9.2, note 1). */
const digestInfo: Readonly<Record<Bits, Buffer>> = {
  256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

const modulusBits = (key: KeyObject): number => key.asymmetricKeyDetails!.modulusLength!

/** RSASSA-PKCS1-v1_5 of a digest. Node.js signs messages only; with the DigestInfo written here, its padding is the same. */
function rsaPkcs1(name: string, bits: Bits): Signature {
  const padding = constants.RSA_PKCS1_PADDING
  return {
    sign(key, digest) {
      const found = rsaKey(key, name, 'privateKey')
      checkDigest(digest, name, bits)
      return short(name, () =>
        privateEncrypt({ key: found, padding }, Buffer.concat([digestInfo[bits], digest])),
      )
    },
    verify(key, digest, signature) {
      const found = rsaKey(key, name, 'publicKey')
      checkDigest(digest, name, bits)
      if (signature.length !== Math.ceil(modulusBits(found) / 8)) return false
      return quiet(() => {
        const decoded = publicDecrypt({ key: found, padding }, signature)
        const wanted = Buffer.concat([digestInfo[bits], digest])
        return decoded.length === wanted.length && timingSafeEqual(decoded, wanted)
      })
    },
  }
}

/** RSASSA-PSS of a digest, with MGF1 on the same hash. */
function rsaPss(name: string, bits: Bits): Signature {
  const hash = `sha${bits}`
  const padding = constants.RSA_NO_PADDING
  return {
    sign(key, digest) {
      const found = rsaKey(key, name, 'privateKey')
      checkDigest(digest, name, bits)
      const modulus = modulusBits(found)
      return short(name, () => {
        const encoded = encodePss(digest, hash, modulus - 1)
        if (encoded === undefined) throw new Error('too short')
        const block = Buffer.alloc(Math.ceil(modulus / 8))
        block.set(encoded, block.length - encoded.length)
        return privateEncrypt({ key: found, padding }, block)
      })
    },
    verify(key, digest, signature) {
      const found = rsaKey(key, name, 'publicKey')
      checkDigest(digest, name, bits)
      const modulus = modulusBits(found)
      const length = Math.ceil(modulus / 8)
      if (signature.length !== length) return false
      return quiet(() => {
        const block = publicDecrypt({ key: found, padding }, signature)
        const encoded = block.subarray(length - Math.ceil((modulus - 1) / 8))
        if (encoded.length < length && block[0] !== 0) return false
        return verifyPss(digest, encoded, hash, modulus - 1)
      })
    },
  }
}

function short(name: string, work: () => Uint8Array): Uint8Array {
  try {
    return work()
  } catch (error) {
    throw invalid(`this RSA key is too short for ${name}`, error)
  }
}

function quiet(work: () => boolean): boolean {
  try {
    return work()
  } catch {
    return false
  }
}

const curves = { 256: 'P-256', 384: 'P-384', 512: 'P-521' } as const
/** A digest as it is, values of any size, signatures in DER: what Dapr's components exchange. */
const plain = { prehash: false, lowS: false, format: 'der' } as const

async function curveOf(bits: Bits) {
  // Loaded when an elliptic curve is first used. Node.js signs messages only, and a digest cannot be handed to it.
  const { p256, p384, p521 } = await import('@noble/curves/nist.js')
  return { 256: p256, 384: p384, 512: p521 }[bits]
}

function ecdsa(name: string, bits: Bits): Signature {
  const checked = (key: LocalKey): { readonly crv?: string; readonly x?: string; readonly y?: string } => {
    const members = key.publicKey?.asymmetricKeyType === 'ec' ? key.publicKey.export({ format: 'jwk' }) : {}
    if (members.crv !== curves[bits])
      throw invalid(`${name} needs a key on the curve ${curves[bits]}; this one is not`)
    return members
  }
  const bytes = (value: string | undefined): Buffer => Buffer.from(value!, 'base64url')
  return {
    async sign(key, digest) {
      checked(key)
      checkDigest(digest, name, bits)
      if (key.privateKey === undefined)
        throw invalid(`${name} needs the private key, and only the public one is here`)
      const { d } = key.privateKey.export({ format: 'jwk' })
      return (await curveOf(bits)).sign(digest, bytes(d), plain)
    },
    async verify(key, digest, signature) {
      const { x, y } = checked(key)
      checkDigest(digest, name, bits)
      const curve = await curveOf(bits)
      const point = Buffer.concat([Buffer.of(4), bytes(x), bytes(y)])
      return quiet(() => curve.verify(signature, digest, point, plain))
    },
  }
}

const edDsa: Signature = {
  sign(key, message) {
    checkEd25519(key)
    if (key.privateKey === undefined)
      throw invalid('EdDSA needs the private key, and only the public one is here')
    return signMessage(null, message, key.privateKey)
  },
  verify(key, message, signature) {
    checkEd25519(key)
    return quiet(() => verifyMessage(null, message, key.publicKey!, signature))
  },
}

function checkEd25519(key: LocalKey): void {
  if (key.publicKey?.asymmetricKeyType !== 'ed25519')
    throw invalid('EdDSA needs an Ed25519 key; this one is not')
}

/** Every algorithm that can sign, by name. */
export const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ...([256, 384, 512] as const).flatMap((bits): [string, Signature][] => [
    [`RS${bits}`, rsaPkcs1(`RS${bits}`, bits)],
    [`PS${bits}`, rsaPss(`PS${bits}`, bits)],
    [`ES${bits}`, ecdsa(`ES${bits}`, bits)],
  ]),
  ['EdDSA', edDsa],
])
