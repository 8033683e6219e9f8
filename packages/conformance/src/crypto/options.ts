import type { CryptoCapability, CryptoProvider } from '@outrigger/spec'
import type { Fixture, SuiteOptions } from '../fixture.ts'
import type { Case } from '../suite.ts'

/** What the crypto suite can be told. */
export interface CryptoSuiteOptions extends SuiteOptions {
  /** For every algorithm that the provider declares, the name of a key that can be used with it. */
  readonly keys: Readonly<Record<string, string>>
  /** Name of a symmetric key, where the provider has some. */
  readonly symmetricKey?: string | undefined
  /** The bytes of symmetric keys by name, where they are known: what they encrypt is compared with Node.js then. */
  readonly secrets?: Readonly<Record<string, Uint8Array>> | undefined
}

export type CryptoCase = Case<CryptoCapability, CryptoProvider, CryptoSuiteOptions>
export type CryptoFixture = Fixture<CryptoCapability, CryptoProvider, CryptoSuiteOptions>

/** Length of the nonce of an algorithm, by its name; 0 where there is none. */
export function nonceBytes(algorithm: string): number {
  if (algorithm.startsWith('XC20P')) return 24
  if (algorithm.startsWith('C20P') || algorithm.includes('GCM')) return 12
  return algorithm.includes('CBC') ? 16 : 0
}

/** Length of the tag of an algorithm, by its name; 0 where there is none. */
export function tagBytes(algorithm: string): number {
  const hash = /-HS(\d+)$/.exec(algorithm)?.[1]
  if (hash !== undefined) return Number(hash) / 16
  return algorithm.includes('C20P') || algorithm.includes('GCM') ? 16 : 0
}

export function keyFor(options: CryptoSuiteOptions, algorithm: string): string {
  const name = options.keys[algorithm]
  if (name === undefined) throw new Error(`the options name no key for ${algorithm}`)
  return name
}
