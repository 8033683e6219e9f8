import type {
  Metadata,
  Secret,
  SecretStore,
  SecretStoreCapability,
  SecretStoreDefinition,
} from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { commonCases } from '../common.ts'
import type { SuiteOptions } from '../fixture.ts'
import { registerSuite, type Case, type Suite } from '../suite.ts'

/** What the secret store suite can be told. */
export interface SecretStoreSuiteOptions extends SuiteOptions {
  /** Secrets that are in the store, by name. There may be others. */
  readonly secrets: Readonly<Record<string, Secret>>
  /** Metadata of the requests. */
  readonly requestMetadata?: Metadata | undefined
  /** False where the store cannot list its secrets. */
  readonly lists?: boolean | undefined
}

type SecretCase = Case<SecretStoreCapability, SecretStore, SecretStoreSuiteOptions>

const cases: readonly SecretCase[] = [
  {
    name: 'every secret is given with exactly its keys and values',
    run: async ({ instance, options }) => {
      expect(Object.keys(options.secrets).length, 'the options name at least one secret').toBeGreaterThan(0)
      for (const [name, secret] of Object.entries(options.secrets)) {
        const found = await instance.get({ name, metadata: options.requestMetadata ?? {} }, plain)
        expect({ ...found }).toEqual(secret)
      }
    },
  },
  {
    name: 'what is absent is undefined, whatever its name',
    run: async (fixture) => {
      const name = Object.keys(fixture.options.secrets)[0]!
      const absent = [
        fixture.unique(),
        `${name}-absent`,
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
      ]
      for (const each of absent) {
        const request = { name: each, metadata: fixture.options.requestMetadata ?? {} }
        expect(await fixture.instance.get(request, plain), each).toBeUndefined()
      }
    },
  },
  {
    name: 'bulkGet gives every secret as get does',
    unless: (options) => (options.lists === false ? 'this store cannot list' : undefined),
    run: async ({ instance, options }) => {
      const all = await instance.bulkGet(options.requestMetadata ?? {}, plain)
      for (const [name, secret] of Object.entries(options.secrets)) {
        expect(Object.hasOwn(all, name), name).toBe(true)
        expect({ ...all[name] }).toEqual(secret)
      }
    },
  },
  {
    name: 'a store that cannot list says UNSUPPORTED',
    unless: (options) => (options.lists === false ? undefined : 'this store can list'),
    run: ({ instance, options }) =>
      expectCode(instance.bulkGet(options.requestMetadata ?? {}, plain), 'UNSUPPORTED'),
  },
  {
    name: 'without the multipleKeyValues capability a secret has one value under its own name',
    without: ['multipleKeyValues'],
    run: async ({ instance, options }) => {
      for (const name of Object.keys(options.secrets)) {
        const found = await instance.get({ name, metadata: options.requestMetadata ?? {} }, plain)
        expect(Object.keys(found ?? {})).toEqual([name])
      }
    },
  },
  {
    name: 'with the multipleKeyValues capability a secret has several keys',
    needs: ['multipleKeyValues'],
    run: async ({ instance, options }) => {
      const several = Object.entries(options.secrets).find(([, secret]) => Object.keys(secret).length > 1)
      expect(several, 'the options name a secret with several keys').toBeDefined()
      const found = await instance.get({ name: several![0], metadata: options.requestMetadata ?? {} }, plain)
      expect({ ...found }).toEqual(several![1])
    },
  },
  {
    name: 'many requests at once each get their own answer',
    run: async ({ instance, options }) => {
      const names = Object.keys(options.secrets)
      const wanted = Array.from({ length: 50 }, (_, n) => names[n % names.length]!)
      const metadata = options.requestMetadata ?? {}
      const found = await Promise.all(wanted.map((name) => instance.get({ name, metadata }, plain)))
      expect(found.map((secret) => ({ ...secret }))).toEqual(wanted.map((name) => options.secrets[name]))
    },
  },
  {
    name: 'a signal that was aborted cancels every operation',
    run: async ({ instance, options }) => {
      const name = Object.keys(options.secrets)[0]!
      await expectCode(instance.get({ name, metadata: {} }, aborted()), 'CANCELLED')
      if (options.lists !== false) await expectCode(instance.bulkGet({}, aborted()), 'CANCELLED')
    },
  },
  {
    name: 'after close every operation is refused as CLOSED',
    run: async (fixture) => {
      const store = await fixture.create()
      await store.close()
      await expectCode(
        store.get({ name: Object.keys(fixture.options.secrets)[0]!, metadata: {} }, plain),
        'CLOSED',
      )
      if (fixture.options.lists !== false) await expectCode(store.bulkGet({}, plain), 'CLOSED')
    },
  },
]

export const secretStoreSuite: Suite<SecretStoreCapability, SecretStore, SecretStoreSuiteOptions> = {
  kind: 'secret store',
  cases: [
    ...commonCases<SecretStoreCapability, SecretStore, SecretStoreSuiteOptions>({
      contract: 'secretstores/1',
      typePrefix: 'secretstores',
      capabilities: ['multipleKeyValues'],
      methods: {},
    }),
    ...cases,
  ],
}

/** Registers the tests that a secret store must pass. */
export function secretStoreConformance(
  definition: SecretStoreDefinition,
  options: SecretStoreSuiteOptions,
): void {
  registerSuite(secretStoreSuite, definition, options)
}
