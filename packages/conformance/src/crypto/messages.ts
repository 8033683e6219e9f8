import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Ciphertext, CryptoProvider } from '@outrigger/spec'
import { expect } from 'vitest'
import { expectBytes, expectCode, plain } from '../checks.ts'
import { type CryptoCase, keyFor, nonceBytes, tagBytes } from './options.ts'

interface Sent {
  readonly algorithm: string
  readonly keyName: string
  readonly nonce: Uint8Array | undefined
  readonly associatedData?: Uint8Array | undefined
}

/** `encrypt` and `wrapKey` are the same but for their names. */
interface Pair {
  readonly capability: 'encrypt' | 'wrap'
  readonly what: string
  seal(provider: CryptoProvider, sent: Sent, message: Uint8Array): Promise<Ciphertext>
  open(provider: CryptoProvider, sent: Sent, sealed: Ciphertext): Promise<Uint8Array>
}

const pairs: readonly Pair[] = [
  {
    capability: 'encrypt',
    what: 'a message',
    seal: (provider, sent, plaintext) => provider.encrypt!({ ...sent, plaintext }, plain),
    open: (provider, sent, sealed) => provider.decrypt!({ ...sent, ...sealed }, plain),
  },
  {
    capability: 'wrap',
    what: 'a key',
    async seal(provider, sent, plaintextKey) {
      const { wrappedKey, tag } = await provider.wrapKey!({ ...sent, plaintextKey }, plain)
      return { ciphertext: wrappedKey, tag }
    },
    open: (provider, sent, { ciphertext, tag }) =>
      provider.unwrapKey!({ ...sent, wrappedKey: ciphertext, tag }, plain),
  },
]

function changed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index === 1 ? byte ^ 1 : byte))
}

function casesOf({ capability, what, seal, open }: Pair): readonly CryptoCase[] {
  const name = (text: string): string => `${what} ${text}`
  const sentWith = (options: Parameters<typeof keyFor>[0], algorithm: string): Sent => ({
    algorithm,
    keyName: keyFor(options, algorithm),
    nonce: nonceBytes(algorithm) === 0 ? undefined : randomBytes(nonceBytes(algorithm)),
  })
  return [
    {
      name: name('comes back from every algorithm, and cannot be read before'),
      needs: [capability],
      run: async ({ instance, options }) => {
        for (const algorithm of instance.algorithms[capability]) {
          const sent = sentWith(options, algorithm)
          const message = randomBytes(32)
          const sealed = await seal(instance, sent, message)
          expect(sealed.tag?.length ?? 0, `the tag of ${algorithm}`).toBe(tagBytes(algorithm))
          const readable = Buffer.from(sealed.ciphertext).includes(message.subarray(0, 8))
          expect(readable, `${algorithm} hides`).toBe(false)
          expectBytes(await open(instance, sent, sealed), message)
        }
      },
    },
    {
      name: name('that was changed, or goes with another nonce, tag or associated data, is refused'),
      needs: [capability],
      run: async ({ instance, options }) => {
        for (const algorithm of instance.algorithms[capability].filter((each) => tagBytes(each) > 0)) {
          const sent = { ...sentWith(options, algorithm), associatedData: Buffer.from('belongs to it') }
          const sealed = await seal(instance, sent, randomBytes(32))
          expect(await open(instance, sent, sealed)).toHaveLength(32)
          const { ciphertext, tag } = sealed
          const nonce = changed(sent.nonce!)
          const associatedData = Buffer.from('another')
          await expectCode(open(instance, { ...sent, nonce }, sealed), 'INVALID_ARGUMENT')
          await expectCode(open(instance, { ...sent, associatedData }, sealed), 'INVALID_ARGUMENT')
          await expectCode(open(instance, sent, { ciphertext: changed(ciphertext), tag }), 'INVALID_ARGUMENT')
          await expectCode(open(instance, sent, { ciphertext, tag: changed(tag!) }), 'INVALID_ARGUMENT')
          await expectCode(open(instance, sent, { ciphertext, tag: tag!.subarray(1) }), 'INVALID_ARGUMENT')
          await expectCode(open(instance, sent, { ciphertext }), 'INVALID_ARGUMENT')
        }
      },
    },
    {
      name: name('wants a nonce of just the right length'),
      needs: [capability],
      run: async ({ instance, options }) => {
        for (const algorithm of instance.algorithms[capability].filter((each) => nonceBytes(each) > 0)) {
          const sent = sentWith(options, algorithm)
          for (const nonce of [undefined, new Uint8Array(0), randomBytes(nonceBytes(algorithm) + 1)])
            await expectCode(seal(instance, { ...sent, nonce }, randomBytes(32)), 'INVALID_ARGUMENT')
        }
      },
    },
    {
      name: name('is what Node.js makes of it with the same key'),
      needs: [capability],
      unless: ({ secrets }) => (secrets === undefined ? 'the bytes of no key are known' : undefined),
      run: async ({ instance, options }) => {
        const known = instance.algorithms[capability].filter((each) => /^A\d+(KW|GCM|CBC)$/.test(each))
        expect(known.length, 'algorithms to compare').toBeGreaterThan(0)
        for (const algorithm of known) {
          const sent = sentWith(options, algorithm)
          const secret = options.secrets![sent.keyName]
          if (secret === undefined) throw new Error(`the options do not tell the bytes of ${sent.keyName}`)
          const message = randomBytes(32)
          const sealed = await seal(instance, sent, message)
          expectBytes(openedByNode(secret, sent, sealed), message)
          expectBytes(await open(instance, sent, sealedByNode(secret, sent, message)), message)
        }
      },
    },
  ]
}

function nodeCipher({ algorithm, nonce }: Sent): readonly [name: string, iv: Uint8Array] {
  const bits = algorithm.slice(1, 4)
  if (algorithm.endsWith('KW')) return [`id-aes${bits}-wrap`, Buffer.alloc(8, 0xa6)]
  return [`aes-${bits}-${algorithm.slice(4).toLowerCase()}`, nonce!]
}

function sealedByNode(secret: Uint8Array, sent: Sent, message: Uint8Array): Ciphertext {
  const [name, iv] = nodeCipher(sent)
  const cipher = createCipheriv(name as 'aes-256-gcm', secret, iv)
  const ciphertext = Buffer.concat([cipher.update(message), cipher.final()])
  return tagBytes(sent.algorithm) > 0 ? { ciphertext, tag: cipher.getAuthTag() } : { ciphertext }
}

function openedByNode(secret: Uint8Array, sent: Sent, { ciphertext, tag }: Ciphertext): Uint8Array {
  const [name, iv] = nodeCipher(sent)
  const decipher = createDecipheriv(name as 'aes-256-gcm', secret, iv)
  if (tag !== undefined) decipher.setAuthTag(tag)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

/** Messages and wrapped keys. */
export const messageCases: readonly CryptoCase[] = pairs.flatMap(casesOf)
