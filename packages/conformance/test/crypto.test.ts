import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
} from 'node:crypto'
import { fields, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type CryptoCapability,
  type CryptoProvider,
  type CryptoRequest,
  type DecryptRequest,
  defineCryptoProvider,
  type EncryptRequest,
  type KeyRequest,
  type OperationOptions,
  type SignRequest,
  type UnwrapKeyRequest,
  type VerifyRequest,
  type WrapKeyRequest,
} from '@outrigger/spec'
import { cryptoSuite, type CryptoSuiteOptions } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

const secret = randomBytes(32)
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const padding = constants.RSA_PKCS1_PADDING
const iv = Buffer.alloc(8, 0xa6)

/** A provider with two keys, as small as one can be. */
class ReferenceCrypto implements CryptoProvider {
  capabilities = new Set<CryptoCapability>(['publicKeys', 'encrypt', 'wrap', 'sign'])
  algorithms = { encrypt: ['A256GCM'], wrap: ['A256KW'], sign: ['RS256'] }
  closed = false

  check = (
    { keyName }: KeyRequest,
    options: OperationOptions,
    algorithm?: readonly [string, string],
  ): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
    if (keyName !== 'secret' && keyName !== 'pair') throw new ComponentError('NOT_FOUND', 'no such key')
    if (algorithm !== undefined && algorithm[0] !== algorithm[1])
      throw new ComponentError('UNSUPPORTED', 'no')
  }

  fits = (fit: boolean): void => {
    if (!fit) throw new ComponentError('INVALID_ARGUMENT', 'does not fit')
  }

  getKey = async (request: KeyRequest, options: OperationOptions) => {
    this.check(request, options)
    if (request.keyName === 'secret') throw new ComponentError('NOT_FOUND', 'symmetric')
    return {
      name: 'pair',
      jwk: createPublicKey(privateKey).export({ format: 'jwk' }) as Record<string, unknown>,
    }
  }

  encrypt = async (request: EncryptRequest, options: OperationOptions) => {
    this.check(request, options, [request.algorithm, 'A256GCM'])
    this.fits(request.nonce?.length === 12)
    const cipher = createCipheriv('aes-256-gcm', secret, request.nonce!)
    cipher.setAAD(request.associatedData ?? Buffer.alloc(0))
    const ciphertext = Buffer.concat([cipher.update(request.plaintext), cipher.final()])
    return { ciphertext, tag: cipher.getAuthTag() }
  }

  decrypt = async (request: DecryptRequest, options: OperationOptions) => {
    this.check(request, options, [request.algorithm, 'A256GCM'])
    this.fits(request.tag?.length === 16 && request.nonce?.length === 12)
    const decipher = createDecipheriv('aes-256-gcm', secret, request.nonce!)
    decipher.setAAD(request.associatedData ?? Buffer.alloc(0))
    decipher.setAuthTag(request.tag!)
    const plaintext = decipher.update(request.ciphertext)
    try {
      decipher.final()
    } catch {
      this.fits(false)
    }
    return plaintext
  }

  wrapKey = async (request: WrapKeyRequest, options: OperationOptions) => {
    this.check(request, options, [request.algorithm, 'A256KW'])
    return { wrappedKey: createCipheriv('id-aes256-wrap', secret, iv).update(request.plaintextKey) } as {
      wrappedKey: Uint8Array
      tag?: Uint8Array
    }
  }

  unwrapKey = async (request: UnwrapKeyRequest, options: OperationOptions) => {
    this.check(request, options, [request.algorithm, 'A256KW'])
    return createDecipheriv('id-aes256-wrap', secret, iv).update(request.wrappedKey)
  }

  sign = async (request: SignRequest, options: OperationOptions): Promise<Uint8Array> => {
    this.check(request, options, [request.algorithm, 'RS256'])
    this.fits(request.digest.length === 32)
    return privateEncrypt({ key: privateKey, padding }, Buffer.concat([digestInfo, request.digest]))
  }

  verify = async (request: VerifyRequest, options: OperationOptions) => {
    this.check(request, options, [request.algorithm, 'RS256'])
    this.fits(request.digest.length === 32)
    try {
      const decoded = publicDecrypt({ key: privateKey, padding }, request.signature)
      return request.signature.length === 128 && decoded.equals(Buffer.concat([digestInfo, request.digest]))
    } catch {
      return false
    }
  }

  close = async (): Promise<void> => {
    this.closed = true
  }
}

const options: CryptoSuiteOptions = {
  properties: () => ({}),
  keys: { A256GCM: 'secret', A256KW: 'secret', RS256: 'pair' },
  symmetricKey: 'secret',
  secrets: { secret },
}

const messageBack = 'a message comes back from every algorithm, and cannot be read before'
const changed = 'a message that was changed, or goes with another nonce, tag or associated data, is refused'
const asNode = 'a message is what Node.js makes of it with the same key'
const verifies = 'what every algorithm signs, it verifies, and nothing else'
const forEveryone = 'a signature is one of the message, for everyone who has the public key'

const mutants: readonly Mutant<ReferenceCrypto>[] = [
  {
    title: 'encrypts nothing',
    break: (provider) => {
      provider.encrypt = async ({ plaintext }) => ({
        ciphertext: Buffer.from(plaintext),
        tag: Buffer.alloc(16),
      })
      provider.decrypt = async ({ ciphertext }) => Buffer.from(ciphertext)
    },
    caughtBy: [messageBack, changed, asNode],
  },
  {
    title: 'leaves the tag at the end of the ciphertext',
    break: (provider) => {
      const { encrypt } = provider
      provider.encrypt = async (...parameters) => {
        const { ciphertext, tag } = await encrypt(...parameters)
        return { ciphertext: Buffer.concat([ciphertext, tag]) } as never
      }
    },
    caughtBy: [messageBack],
  },
  {
    title: 'does not authenticate associated data',
    break: (provider) => {
      const { encrypt, decrypt } = provider
      provider.encrypt = (request, rest) => encrypt({ ...request, associatedData: undefined }, rest)
      provider.decrypt = (request, rest) => decrypt({ ...request, associatedData: undefined }, rest)
    },
    caughtBy: [changed],
  },
  {
    title: 'makes up nonces of its own',
    break: (provider) => {
      const { encrypt, decrypt } = provider
      provider.encrypt = (request, rest) => encrypt({ ...request, nonce: Buffer.alloc(12) }, rest)
      provider.decrypt = (request, rest) => decrypt({ ...request, nonce: Buffer.alloc(12) }, rest)
    },
    caughtBy: ['a message wants a nonce of just the right length', changed, asNode],
  },
  {
    title: 'wraps with another key than it says',
    break: (provider) => {
      const other = randomBytes(32)
      provider.wrapKey = async ({ plaintextKey }) => ({
        wrappedKey: createCipheriv('id-aes256-wrap', other, iv).update(plaintextKey),
      })
      provider.unwrapKey = async ({ wrappedKey }) =>
        createDecipheriv('id-aes256-wrap', other, iv).update(wrappedKey)
    },
    caughtBy: ['a key is what Node.js makes of it with the same key'],
  },
  {
    title: 'hashes the digest once more',
    break: (provider) => {
      const { sign, verify } = provider
      const again = <R extends CryptoRequest & { digest: Uint8Array }>(request: R): R => ({
        ...request,
        digest: createHash('sha256').update(request.digest).digest(),
      })
      provider.sign = (request, rest) => sign(again(request), rest)
      provider.verify = (request, rest) => verify(again(request), rest)
    },
    caughtBy: [forEveryone, 'a digest has the length of its hash'],
  },
  {
    title: 'finds every signature right',
    break: (provider) => {
      provider.verify = async () => true
    },
    caughtBy: [verifies, 'many requests at once each get their own answer'],
  },
  {
    title: 'throws at a signature that is none',
    break: (provider) => {
      const { verify } = provider
      provider.verify = async (request, rest) => {
        provider.fits(request.signature.length === 128)
        return verify(request, rest)
      }
    },
    caughtBy: [verifies],
  },
  {
    title: 'gives the private key away',
    break: (provider) => {
      const { getKey } = provider
      provider.getKey = async (...parameters) => ({
        ...(await getKey(...parameters)),
        jwk: privateKey.export({ format: 'jwk' }) as Record<string, unknown>,
      })
    },
    caughtBy: ['getKey gives public halves, and nothing that is secret'],
  },
  {
    title: 'gives a symmetric key away',
    break: (provider) => {
      provider.getKey = async ({ keyName }) => ({ name: keyName, jwk: { kty: 'oct', k: 'x' } })
    },
    caughtBy: ['a symmetric key is not given away', 'getKey gives public halves, and nothing that is secret'],
  },
  {
    title: 'uses some key for one that is not there',
    break: (provider) => {
      const { check } = provider
      provider.check = (_, ...rest) => check({ keyName: 'secret' }, ...rest)
    },
    caughtBy: ['a key that is not there is NOT_FOUND, whatever its name'],
  },
  {
    title: 'uses some algorithm for one that it does not know',
    break: (provider) => {
      const { check } = provider
      provider.check = (request, rest) => check(request, rest)
    },
    caughtBy: ['an algorithm that is not listed is UNSUPPORTED, whatever its name'],
  },
  {
    title: 'lists an algorithm twice',
    break: (provider) => provider.algorithms.sign.push('RS256'),
    caughtBy: ['there are algorithms just where there is the capability, each listed once'],
  },
  {
    title: 'lists no algorithm',
    break: (provider) => provider.algorithms.wrap.pop(),
    caughtBy: ['there are algorithms just where there is the capability, each listed once'],
  },
  {
    title: 'has methods that it does not declare',
    break: (provider) => provider.capabilities.delete('wrap'),
    capabilities: ['publicKeys', 'encrypt', 'sign'],
    caughtBy: [
      'optional methods exist exactly where their capability is declared',
      'there are algorithms just where there is the capability, each listed once',
    ],
  },
  {
    title: 'ignores signals and works on after close',
    break: (provider) => {
      provider.check = () => {}
    },
    caughtBy: [
      'a signal that was aborted cancels every operation',
      'after close every operation is refused as CLOSED',
    ],
  },
]

proveSuite(
  cryptoSuite,
  (mutate) =>
    defineCryptoProvider({
      type: 'crypto.reference',
      title: 'Reference',
      versions: {
        v1: {
          metadata: fields({}),
          capabilities: ['publicKeys', 'encrypt', 'wrap', 'sign'],
          create: () => {
            const provider = new ReferenceCrypto()
            mutate?.(provider)
            return Promise.resolve(provider)
          },
        },
      },
    }),
  options,
  mutants as unknown as readonly Mutant<CryptoProvider>[],
  ['ping answers where it exists'],
)
