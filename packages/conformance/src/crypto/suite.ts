import type {
  CryptoAlgorithms,
  CryptoCapability,
  CryptoProvider,
  CryptoProviderDefinition,
  OperationOptions,
} from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { commonCases } from '../common.ts'
import { registerSuite, type Suite } from '../suite.ts'
import { messageCases } from './messages.ts'
import { type CryptoCase, type CryptoSuiteOptions, keyFor, nonceBytes } from './options.ts'
import { signatureCases } from './signatures.ts'

const lists = ['encrypt', 'wrap', 'sign'] as const satisfies readonly (keyof CryptoAlgorithms)[]
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const bytes = new Uint8Array(32)

type List = keyof CryptoAlgorithms | 'publicKeys'
type Call = () => Promise<unknown>

/** Every operation that there is, with one algorithm and key for each list. */
function everyOperation(
  provider: CryptoProvider,
  choose: (list: List) => { readonly algorithm: string; readonly keyName: string },
  options: OperationOptions = plain,
): readonly Call[] {
  const of = (list: keyof CryptoAlgorithms) => {
    const { algorithm, keyName } = choose(list)
    return { algorithm, keyName, nonce: new Uint8Array(nonceBytes(algorithm)), tag: new Uint8Array(16) }
  }
  const has = provider.capabilities
  return [
    ...(has.has('publicKeys')
      ? [() => provider.getKey!({ keyName: choose('publicKeys').keyName }, options)]
      : []),
    ...(has.has('encrypt')
      ? [
          () => provider.encrypt!({ ...of('encrypt'), plaintext: bytes }, options),
          () => provider.decrypt!({ ...of('encrypt'), ciphertext: bytes }, options),
        ]
      : []),
    ...(has.has('wrap')
      ? [
          () => provider.wrapKey!({ ...of('wrap'), plaintextKey: bytes }, options),
          () => provider.unwrapKey!({ ...of('wrap'), wrappedKey: bytes }, options),
        ]
      : []),
    ...(has.has('sign')
      ? [
          () => provider.sign!({ ...of('sign'), digest: bytes }, options),
          () => provider.verify!({ ...of('sign'), digest: bytes, signature: bytes }, options),
        ]
      : []),
  ]
}

/** A request that would work, for each list. */
function working({ algorithms }: CryptoProvider, options: CryptoSuiteOptions) {
  return (list: List) => {
    const algorithm = algorithms[list === 'publicKeys' ? 'sign' : list][0] ?? ''
    return {
      algorithm,
      keyName: list === 'publicKeys' ? (options.keys[algorithm] ?? 'any') : keyFor(options, algorithm),
    }
  }
}

const cases: readonly CryptoCase[] = [
  {
    name: 'there are algorithms just where there is the capability, each listed once',
    run: ({ instance }) => {
      for (const list of lists) {
        const names = instance.algorithms[list]
        expect(names.length > 0, list).toBe(instance.capabilities.has(list))
        expect(new Set(names).size, `${list}, each once`).toBe(names.length)
      }
      return Promise.resolve()
    },
  },
  ...messageCases,
  ...signatureCases,
  {
    name: 'getKey gives public halves, and nothing that is secret',
    needs: ['publicKeys'],
    run: async ({ instance, options }) => {
      const names = new Set(
        lists.flatMap((list) => instance.algorithms[list]).map((each) => keyFor(options, each)),
      )
      let found = 0
      for (const keyName of names) {
        const key = await instance.getKey!({ keyName }, plain).catch(() => undefined)
        if (key === undefined) continue
        found++
        expect(key.name.startsWith(keyName), `${key.name} is ${keyName}, or a version of it`).toBe(true)
        expect(['RSA', 'EC', 'OKP']).toContain(key.jwk['kty'])
        expect(Object.keys(key.jwk).filter((member) => secretMembers.includes(member))).toEqual([])
      }
      expect(found, 'keys with a public half').toBeGreaterThan(0)
    },
  },
  {
    name: 'a symmetric key is not given away',
    needs: ['publicKeys'],
    unless: ({ symmetricKey }) =>
      symmetricKey === undefined ? 'the options name no symmetric key' : undefined,
    run: ({ instance, options }) =>
      expectCode(instance.getKey!({ keyName: options.symmetricKey! }, plain), 'NOT_FOUND'),
  },
  {
    name: 'a key that is not there is NOT_FOUND, whatever its name',
    run: async (fixture) => {
      const { instance, options } = fixture
      for (const keyName of [fixture.unique(), 'constructor', '__proto__', 'toString']) {
        const choose = (list: List) => ({ ...working(instance, options)(list), keyName })
        for (const call of everyOperation(instance, choose)) await expectCode(call(), 'NOT_FOUND')
      }
    },
  },
  {
    name: 'an algorithm that is not listed is UNSUPPORTED, whatever its name',
    run: async ({ instance, options }) => {
      for (const strange of ['ROT13', '', 'constructor', '__proto__', 'a256kw', 'none']) {
        const choose = (list: List) => ({
          ...working(instance, options)(list),
          algorithm: strange,
        })
        const calls = everyOperation(instance, choose)
        // The first is getKey, which has no algorithm.
        for (const call of instance.capabilities.has('publicKeys') ? calls.slice(1) : calls)
          await expectCode(call(), 'UNSUPPORTED')
      }
    },
  },
  {
    name: 'many requests at once each get their own answer',
    needs: ['sign'],
    run: async ({ instance, options }) => {
      const algorithm = instance.algorithms.sign[0]!
      const keyName = keyFor(options, algorithm)
      const digests = Array.from({ length: 20 }, (_, index) => new Uint8Array(sizeOf(algorithm)).fill(index))
      const signed = await Promise.all(
        digests.map((digest) => instance.sign!({ algorithm, keyName, digest }, plain)),
      )
      for (const [index, digest] of digests.entries()) {
        const request = { algorithm, keyName, digest }
        expect(await instance.verify!({ ...request, signature: signed[index]! }, plain)).toBe(true)
        expect(await instance.verify!({ ...request, signature: signed[(index + 1) % 20]! }, plain)).toBe(
          false,
        )
      }
    },
  },
  {
    name: 'a signal that was aborted cancels every operation',
    run: async ({ instance, options }) => {
      for (const call of everyOperation(instance, working(instance, options), aborted()))
        await expectCode(call(), 'CANCELLED')
    },
  },
  {
    name: 'after close every operation is refused as CLOSED',
    run: async (fixture) => {
      const provider = await fixture.create()
      await provider.close()
      for (const call of everyOperation(provider, working(provider, fixture.options)))
        await expectCode(call(), 'CLOSED')
    },
  },
]

const sizeOf = (algorithm: string): number => (algorithm === 'EdDSA' ? 32 : Number(algorithm.slice(2)) / 8)

export const cryptoSuite: Suite<CryptoCapability, CryptoProvider, CryptoSuiteOptions> = {
  kind: 'crypto',
  cases: [
    ...commonCases<CryptoCapability, CryptoProvider, CryptoSuiteOptions>({
      contract: 'crypto/1',
      typePrefix: 'crypto',
      capabilities: ['publicKeys', 'encrypt', 'wrap', 'sign'],
      methods: {
        publicKeys: ['getKey'],
        encrypt: ['encrypt', 'decrypt'],
        wrap: ['wrapKey', 'unwrapKey'],
        sign: ['sign', 'verify'],
      },
    }),
    ...cases,
  ],
}

/** Registers the tests that a crypto provider must pass. */
export function cryptoConformance(definition: CryptoProviderDefinition, options: CryptoSuiteOptions): void {
  registerSuite(cryptoSuite, definition, options)
}
