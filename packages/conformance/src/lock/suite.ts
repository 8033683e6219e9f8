import type { LockCapability, LockStore, LockStoreDefinition } from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { commonCases } from '../common.ts'
import type { SuiteOptions } from '../fixture.ts'
import { registerSuite, type Case, type Suite } from '../suite.ts'

/** What the lock suite can be told. */
export interface LockSuiteOptions extends SuiteOptions {
  /** Locks live within one instance, so a second instance does not see them. */
  readonly withinInstance?: boolean | undefined
}

const lock = (resourceId: string, owner: string, expirySeconds = 60) => ({ resourceId, owner, expirySeconds })

const cases: readonly Case<LockCapability, LockStore, LockSuiteOptions>[] = [
  {
    name: 'who holds a lock keeps others out, and itself too',
    run: async (fixture) => {
      const { instance } = fixture
      const id = fixture.unique('lock')
      expect(await instance.tryLock(lock(id, 'a'), plain)).toBe(true)
      expect(await instance.tryLock(lock(id, 'b'), plain)).toBe(false)
      expect(await instance.tryLock(lock(id, 'a'), plain)).toBe(false)
    },
  },
  {
    name: 'locks of different names do not touch each other',
    run: async (fixture) => {
      const { instance } = fixture
      const id = fixture.unique('lock')
      for (const end of ['', 'x', '||x', '/', '%', '_', ' ', 'é', '*']) {
        expect(await instance.tryLock(lock(id + end, 'a'), plain)).toBe(true)
      }
      expect(await instance.unlock({ resourceId: `${id}x`, owner: 'a' }, plain)).toBe('success')
      expect(await instance.tryLock(lock(id, 'b'), plain)).toBe(false)
    },
  },
  {
    name: 'only its owner unlocks, once, and then it is free',
    run: async (fixture) => {
      const { instance } = fixture
      const id = fixture.unique('lock')
      await instance.tryLock(lock(id, 'a'), plain)
      expect(await instance.unlock({ resourceId: id, owner: 'b' }, plain)).toBe('lock-belongs-to-others')
      expect(await instance.tryLock(lock(id, 'b'), plain)).toBe(false)
      expect(await instance.unlock({ resourceId: id, owner: 'a' }, plain)).toBe('success')
      expect(await instance.unlock({ resourceId: id, owner: 'a' }, plain)).toBe('lock-does-not-exist')
      expect(await instance.tryLock(lock(id, 'b'), plain)).toBe(true)
    },
  },
  {
    name: 'what was never locked does not exist',
    run: async (fixture) => {
      const { instance } = fixture
      expect(await instance.unlock({ resourceId: fixture.unique('lock'), owner: 'a' }, plain)).toBe(
        'lock-does-not-exist',
      )
    },
  },
  {
    name: 'a lock is free after its time, and not before',
    run: async (fixture) => {
      const { instance } = fixture
      const [short, long] = [fixture.unique('lock'), fixture.unique('lock')]
      await instance.tryLock(lock(short, 'a', 1), plain)
      await instance.tryLock(lock(long, 'a', 600), plain)
      await fixture.until('the lock to be free', () => instance.tryLock(lock(short, 'b'), plain))
      expect(await instance.unlock({ resourceId: short, owner: 'a' }, plain)).toBe('lock-belongs-to-others')
      expect(await instance.tryLock(lock(long, 'b'), plain)).toBe(false)
    },
  },
  {
    name: 'of many who try at once one has it',
    run: async (fixture) => {
      const { instance } = fixture
      const id = fixture.unique('lock')
      const tries = await Promise.all(
        Array.from({ length: 50 }, (_, n) => instance.tryLock(lock(id, `${n}`), plain)),
      )
      expect(tries.filter(Boolean)).toHaveLength(1)
      const owner = `${tries.indexOf(true)}`
      expect(await instance.unlock({ resourceId: id, owner }, plain)).toBe('success')
    },
  },
  {
    name: 'a lock holds against other instances, and outlives the one that took it',
    unless: (options) => (options.withinInstance === true ? 'locks live within one instance' : undefined),
    run: async (fixture) => {
      const id = fixture.unique('lock')
      const other = await fixture.create()
      expect(await other.tryLock(lock(id, 'a'), plain)).toBe(true)
      expect(await fixture.instance.tryLock(lock(id, 'b'), plain)).toBe(false)
      await other.close()
      expect(await fixture.instance.tryLock(lock(id, 'b'), plain)).toBe(false)
      expect(await fixture.instance.unlock({ resourceId: id, owner: 'a' }, plain)).toBe('success')
    },
  },
  {
    name: 'a signal that was aborted cancels every operation and nothing is changed',
    run: async (fixture) => {
      const { instance } = fixture
      const id = fixture.unique('lock')
      await expectCode(instance.tryLock(lock(id, 'a'), aborted()), 'CANCELLED')
      expect(await instance.tryLock(lock(id, 'b'), plain)).toBe(true)
      await expectCode(instance.unlock({ resourceId: id, owner: 'b' }, aborted()), 'CANCELLED')
      expect(await instance.unlock({ resourceId: id, owner: 'b' }, plain)).toBe('success')
    },
  },
  {
    name: 'after close every operation is refused as CLOSED',
    run: async (fixture) => {
      const instance = await fixture.create()
      await instance.close()
      await expectCode(instance.tryLock(lock(fixture.unique('lock'), 'a'), plain), 'CLOSED')
      await expectCode(instance.unlock({ resourceId: 'x', owner: 'a' }, plain), 'CLOSED')
    },
  },
]

export const lockSuite: Suite<LockCapability, LockStore, LockSuiteOptions> = {
  kind: 'lock store',
  cases: [
    ...commonCases<LockCapability, LockStore, LockSuiteOptions>({
      contract: 'lock/1',
      typePrefix: 'lock',
      capabilities: [],
      methods: {},
    }),
    ...cases,
  ],
}

/** Registers the tests that a lock store must pass. */
export function lockConformance(definition: LockStoreDefinition, options: LockSuiteOptions): void {
  registerSuite(lockSuite, definition, options)
}
