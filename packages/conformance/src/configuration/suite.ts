import type {
  ConfigurationCapability,
  ConfigurationChanges,
  ConfigurationItem,
  ConfigurationStore,
  ConfigurationStoreDefinition,
} from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { commonCases } from '../common.ts'
import type { Fixture, SuiteOptions } from '../fixture.ts'
import { registerSuite, type Case, type Suite } from '../suite.ts'

/** What the configuration suite can be told. */
export interface ConfigurationSuiteOptions extends SuiteOptions {
  /** Writes an item into the store behind the component, as an operator does. */
  readonly write: (key: string, value: string) => void | Promise<void>
  /** Deletes an item from the store behind the component. */
  readonly remove: (key: string) => void | Promise<void>
}

type ConfigurationFixture = Fixture<ConfigurationCapability, ConfigurationStore, ConfigurationSuiteOptions>
type ConfigurationCase = Case<ConfigurationCapability, ConfigurationStore, ConfigurationSuiteOptions>

const quietMs = 250

async function watch(fixture: ConfigurationFixture, keys: readonly string[], instance = fixture.instance) {
  /** The latest news of each key. */
  const latest = new Map<string, ConfigurationItem | undefined>()
  const onChange = (changes: ConfigurationChanges): Promise<void> => {
    for (const [key, item] of Object.entries(changes)) latest.set(key, item)
    return Promise.resolve()
  }
  const subscription = await instance.subscribe!({ keys, metadata: {} }, onChange, plain)
  const told = (key: string, value: string | undefined): Promise<void> =>
    fixture.until(`news of ${key}`, () => latest.has(key) && latest.get(key)?.value === value)
  return { latest, subscription, told }
}

const cases: readonly ConfigurationCase[] = [
  {
    name: 'items are given by their keys, and those that do not exist are left out',
    run: async (fixture) => {
      const [a, b, absent] = [fixture.unique(), fixture.unique(), fixture.unique()]
      await fixture.options.write(a, 'one')
      await fixture.options.write(b, 'ключ = "鍵"\n')
      const items = await fixture.instance.get({ keys: [a, b, absent], metadata: {} }, plain)
      expect(Object.keys(items).toSorted()).toEqual([a, b].toSorted())
      expect([items[a]!.value, items[b]!.value]).toEqual(['one', 'ключ = "鍵"\n'])
    },
  },
  {
    name: 'without keys every item is given',
    run: async (fixture) => {
      const keys = [fixture.unique(), fixture.unique()]
      for (const key of keys) await fixture.options.write(key, key)
      const items = await fixture.instance.get({ keys: [], metadata: {} }, plain)
      for (const key of keys) expect(items[key]?.value).toBe(key)
    },
  },
  {
    name: 'names of built-in properties are keys like others',
    run: async (fixture) => {
      const items = await fixture.instance.get({ keys: ['constructor', 'toString'], metadata: {} }, plain)
      expect(Object.keys(items)).toEqual([])
    },
  },
  {
    name: 'a changed item has its new value, and another version where there are versions',
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.options.write(key, '1')
      const before = (await fixture.instance.get({ keys: [key], metadata: {} }, plain))[key]
      await fixture.options.write(key, '2')
      const after = (await fixture.instance.get({ keys: [key], metadata: {} }, plain))[key]
      expect([before?.value, after?.value]).toEqual(['1', '2'])
      if (before?.version !== undefined) expect(after?.version).not.toBe(before.version)
    },
  },
  {
    name: 'a deleted item is left out',
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.options.write(key, '1')
      await fixture.options.remove(key)
      expect(Object.keys(await fixture.instance.get({ keys: [key], metadata: {} }, plain))).toEqual([])
    },
  },
  {
    name: 'a subscription tells of changes to its keys and of no others',
    needs: ['subscribe'],
    run: async (fixture) => {
      const [key, fresh, other] = [fixture.unique(), fixture.unique(), fixture.unique()]
      await fixture.options.write(key, '1')
      const { latest, subscription, told } = await watch(fixture, [key, fresh])
      await fixture.options.write(other, 'x')
      await fixture.options.write(key, '2')
      await told(key, '2')
      await fixture.options.write(fresh, '3')
      await told(fresh, '3')
      await fixture.pause(quietMs)
      expect(latest.has(other)).toBe(false)
      await subscription.close()
    },
  },
  {
    name: 'a subscription without keys tells of every change',
    needs: ['subscribe'],
    run: async (fixture) => {
      const keys = [fixture.unique(), fixture.unique()]
      const { subscription, told } = await watch(fixture, [])
      for (const key of keys) await fixture.options.write(key, key)
      for (const key of keys) await told(key, key)
      await subscription.close()
    },
  },
  {
    name: 'a deleted item is told as undefined',
    needs: ['subscribe'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.options.write(key, '1')
      const { subscription, told } = await watch(fixture, [key])
      await fixture.options.remove(key)
      await told(key, undefined)
      await subscription.close()
    },
  },
  {
    name: 'what is told is what a read gives',
    needs: ['subscribe'],
    run: async (fixture) => {
      const key = fixture.unique()
      const { latest, subscription, told } = await watch(fixture, [key])
      await fixture.options.write(key, '1')
      await told(key, '1')
      const items = await fixture.instance.get({ keys: [key], metadata: {} }, plain)
      expect(latest.get(key)).toEqual(items[key])
      await subscription.close()
    },
  },
  {
    name: 'more is told only when what was told is through, and the last value is told',
    needs: ['subscribe'],
    run: async (fixture) => {
      const key = fixture.unique()
      const { promise: gate, resolve: open } = Promise.withResolvers<void>()
      const seen: (string | undefined)[] = []
      let under = 0
      let most = 0
      const onChange = async (changes: ConfigurationChanges): Promise<void> => {
        most = Math.max(most, ++under)
        seen.push(changes[key]?.value)
        await gate
        under--
      }
      const subscription = await fixture.instance.subscribe!({ keys: [key], metadata: {} }, onChange, plain)
      await fixture.options.write(key, '1')
      await fixture.until('the first news', () => seen.length > 0)
      for (const value of ['2', '3', '4']) await fixture.options.write(key, value)
      await fixture.pause(quietMs)
      expect(seen).toHaveLength(1)
      open()
      await fixture.until('the last news', () => seen.at(-1) === '4')
      expect(most).toBe(1)
      await subscription.close()
    },
  },
  {
    name: 'after its close a subscription is silent, others go on, and ended tells of no error',
    needs: ['subscribe'],
    run: async (fixture) => {
      const key = fixture.unique()
      const closed = await watch(fixture, [key])
      const open = await watch(fixture, [key])
      await fixture.within('close', closed.subscription.close())
      await fixture.within('a second close', closed.subscription.close())
      expect(await fixture.within('the end', closed.subscription.ended)).toBeUndefined()
      await fixture.options.write(key, '1')
      await open.told(key, '1')
      await fixture.pause(quietMs)
      expect(closed.latest.size).toBe(0)
      await open.subscription.close()
    },
  },
  {
    name: 'closing the instance ends its subscriptions',
    needs: ['subscribe'],
    run: async (fixture) => {
      const instance = await fixture.create()
      const { subscription } = await watch(fixture, [fixture.unique()], instance)
      await fixture.within('close', instance.close())
      expect(await fixture.within('the end', subscription.ended)).toBeUndefined()
    },
  },
  {
    name: 'a signal that was aborted cancels every operation',
    run: async ({ instance }) => {
      await expectCode(instance.get({ keys: [], metadata: {} }, aborted()), 'CANCELLED')
      if (instance.subscribe !== undefined) {
        const silent = (): Promise<void> => Promise.resolve()
        await expectCode(instance.subscribe({ keys: [], metadata: {} }, silent, aborted()), 'CANCELLED')
      }
    },
  },
  {
    name: 'after close every operation is refused as CLOSED',
    run: async (fixture) => {
      const instance = await fixture.create()
      await instance.close()
      await expectCode(instance.get({ keys: [], metadata: {} }, plain), 'CLOSED')
      if (instance.subscribe !== undefined) {
        const silent = (): Promise<void> => Promise.resolve()
        await expectCode(instance.subscribe({ keys: [], metadata: {} }, silent, plain), 'CLOSED')
      }
    },
  },
]

export const configurationSuite: Suite<
  ConfigurationCapability,
  ConfigurationStore,
  ConfigurationSuiteOptions
> = {
  kind: 'configuration store',
  cases: [
    ...commonCases<ConfigurationCapability, ConfigurationStore, ConfigurationSuiteOptions>({
      contract: 'configuration/1',
      typePrefix: 'configuration',
      capabilities: ['subscribe'],
      methods: { subscribe: ['subscribe'] },
    }),
    ...cases,
  ],
}

/** Registers the tests that a configuration store must pass. */
export function configurationConformance(
  definition: ConfigurationStoreDefinition,
  options: ConfigurationSuiteOptions,
): void {
  registerSuite(configurationSuite, definition, options)
}
