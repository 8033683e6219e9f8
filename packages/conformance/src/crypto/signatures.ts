import { constants, createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from 'node:crypto'
import { expect } from 'vitest'
import { expectCode, plain } from '../checks.ts'
import { type CryptoCase, keyFor } from './options.ts'

const message = Buffer.from('fifteen men on the dead man’s chest')

/** The hash of an algorithm; `null` where it does its own. */
const hashOf = (algorithm: string): string | null =>
  algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`

function digestOf(algorithm: string, text: Buffer = message): Buffer {
  const hash = hashOf(algorithm)
  return hash === null ? text : createHash(hash).update(text).digest()
}

/** Signatures. */
export const signatureCases: readonly CryptoCase[] = [
  {
    name: 'what every algorithm signs, it verifies, and nothing else',
    needs: ['sign'],
    run: async ({ instance, options }) => {
      for (const algorithm of instance.algorithms.sign) {
        const request = { algorithm, keyName: keyFor(options, algorithm), digest: digestOf(algorithm) }
        const signature = await instance.sign!(request, plain)
        const valid = (digest: Uint8Array, candidate: Uint8Array): Promise<boolean> =>
          instance.verify!({ ...request, digest, signature: candidate }, plain)
        expect(await valid(request.digest, signature), algorithm).toBe(true)
        const other = digestOf(algorithm, Buffer.from('another message'))
        expect(await valid(other, signature), `${algorithm} of another digest`).toBe(false)
        for (const bad of [
          new Uint8Array(0),
          signature.subarray(1),
          randomBytes(signature.length),
          randomBytes(7),
          Uint8Array.from(signature, (byte, index) => (index === signature.length - 3 ? byte ^ 1 : byte)),
        ])
          expect(await valid(request.digest, bad), `${algorithm}, a signature that is none`).toBe(false)
      }
    },
  },
  {
    name: 'a signature is one of the message, for everyone who has the public key',
    needs: ['sign', 'publicKeys'],
    run: async ({ instance, options }) => {
      for (const algorithm of instance.algorithms.sign) {
        const keyName = keyFor(options, algorithm)
        const signature = await instance.sign!({ algorithm, keyName, digest: digestOf(algorithm) }, plain)
        const { jwk } = await instance.getKey!({ keyName }, plain)
        const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
        const padding = algorithm.startsWith('PS') ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
        expect(verify(hashOf(algorithm), message, { key, ...padding }, signature), algorithm).toBe(true)
      }
    },
  },
  {
    name: 'a digest has the length of its hash',
    needs: ['sign'],
    run: async ({ instance, options }) => {
      for (const algorithm of instance.algorithms.sign.filter((each) => hashOf(each) !== null)) {
        const request = { algorithm, keyName: keyFor(options, algorithm), digest: message }
        await expectCode(instance.sign!(request, plain), 'INVALID_ARGUMENT')
        await expectCode(
          instance.verify!({ ...request, signature: randomBytes(64) }, plain),
          'INVALID_ARGUMENT',
        )
      }
    },
  },
]
