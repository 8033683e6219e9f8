import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { addresses, find, type NameCase } from './helpers.ts'

/** Ids that no name can be made of, or that mean something else to what is behind a resolver. */
const awkwardIds = ['a/b', 'a b', '..', "a'b", 'a"b', 'a%b', 'a:1', 'a\nb', '*', 'a'.repeat(300)]

export const resolving: readonly NameCase[] = [
  {
    name: 'the instances that are known are found, each once',
    unless: (options) => (options.known === undefined ? 'none is known' : undefined),
    run: async (fixture) => {
      for (const [appId, instances] of Object.entries(fixture.options.known!)) {
        expect(await find(fixture, fixture.instance, appId)).toEqual(addresses(instances))
      }
    },
  },
  {
    name: 'an id that nobody has gives an empty list',
    unless: (options) => (options.answersAll === true ? 'every id has an address' : undefined),
    run: async (fixture) => {
      expect(await find(fixture, fixture.instance, fixture.unique('nobody'))).toEqual([])
    },
  },
  {
    name: 'what an answer says of its age is a time',
    run: async (fixture) => {
      const request = { appId: fixture.unique('app'), namespace: 'default', port: 50_002, metadata: {} }
      const { ttlMs } = await fixture.instance.resolve(request, plain)
      if (ttlMs !== undefined) expect(ttlMs).toBeGreaterThanOrEqual(0)
    },
  },
  {
    name: 'names of built-in properties are ids like others',
    unless: (options) => (options.answersAll === true ? 'every id has an address' : undefined),
    run: async (fixture) => {
      const ids = ['constructor', 'toString']
      expect(await Promise.all(ids.map((appId) => find(fixture, fixture.instance, appId)))).toEqual([[], []])
    },
  },
  {
    name: 'an id that cannot be a name is refused as INVALID_ARGUMENT, or nobody has it',
    run: async (fixture) => {
      await expectCode(find(fixture, fixture.instance, ''), 'INVALID_ARGUMENT')
      const check = async (appId: string): Promise<void> => {
        const found = find(fixture, fixture.instance, appId)
        const outcome = await found.then(
          (instances) => instances,
          () => undefined,
        )
        if (outcome === undefined) await expectCode(found, 'INVALID_ARGUMENT')
        else expect(outcome, `instances of ${JSON.stringify(appId)}`).toEqual([])
      }
      await Promise.all(awkwardIds.map(check))
    },
  },
  {
    name: 'a signal that was aborted cancels every operation',
    run: async (fixture) => {
      const appId = fixture.unique('app')
      const request = { appId, namespace: 'default', port: 50_002, metadata: {} }
      await expectCode(fixture.instance.resolve(request, aborted()), 'CANCELLED')
      if (fixture.instance.watch !== undefined) {
        await expectCode(
          fixture.instance.watch(request, () => {}, aborted()),
          'CANCELLED',
        )
      }
      if (fixture.instance.register !== undefined) {
        const own = { ...request, host: '127.0.0.1', port: 1, ...fixture.options.registration }
        await expectCode(fixture.instance.register(own, aborted()), 'CANCELLED')
        expect(await find(fixture, fixture.instance, appId)).toEqual([])
      }
    },
  },
  {
    name: 'after close every operation is refused as CLOSED',
    run: async (fixture) => {
      const instance = await fixture.create()
      await instance.close()
      const request = { appId: fixture.unique('app'), namespace: 'default', port: 50_002, metadata: {} }
      await expectCode(instance.resolve(request, plain), 'CLOSED')
      if (instance.watch !== undefined)
        await expectCode(
          instance.watch(request, () => {}, plain),
          'CLOSED',
        )
      if (instance.register !== undefined) {
        const own = { ...request, host: '127.0.0.1', port: 1, ...fixture.options.registration }
        await expectCode(instance.register(own, plain), 'CLOSED')
      }
    },
  },
]
