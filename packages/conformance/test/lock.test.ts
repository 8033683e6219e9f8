import { fields, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  defineLockStore,
  type LockCapability,
  type LockStore,
  type OperationOptions,
  type TryLockRequest,
  type UnlockRequest,
  type UnlockStatus,
} from '@outrigger/spec'
import { lockSuite } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

type Locks = Map<string, { readonly owner: string; readonly until: number }>

class ReferenceLocks implements LockStore {
  capabilities = new Set<LockCapability>()
  locks: Locks
  closed = false

  constructor(locks: Locks) {
    this.locks = locks
  }

  check = (options: OperationOptions): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
  }

  keyOf = (resourceId: string): string => resourceId

  find = (resourceId: string): { readonly owner: string; readonly until: number } | undefined => {
    const held = this.locks.get(this.keyOf(resourceId))
    return held !== undefined && held.until > Date.now() ? held : undefined
  }

  tryLock = async (request: TryLockRequest, options: OperationOptions): Promise<boolean> => {
    this.check(options)
    if (this.find(request.resourceId) !== undefined) return false
    const until = Date.now() + request.expirySeconds * 1000
    this.locks.set(this.keyOf(request.resourceId), { owner: request.owner, until })
    return true
  }

  unlock = async ({ resourceId, owner }: UnlockRequest, options: OperationOptions): Promise<UnlockStatus> => {
    this.check(options)
    const held = this.find(resourceId)
    if (held === undefined) return 'lock-does-not-exist'
    if (held.owner !== owner) return 'lock-belongs-to-others'
    this.locks.delete(this.keyOf(resourceId))
    return 'success'
  }

  close = async (): Promise<void> => {
    this.closed = true
  }
}

const mutants: readonly Mutant<ReferenceLocks>[] = [
  {
    title: 'lets the owner in again',
    break: (store) => {
      const { tryLock } = store
      store.tryLock = async (request, options) =>
        store.find(request.resourceId)?.owner === request.owner || (await tryLock(request, options))
    },
    caughtBy: ['who holds a lock keeps others out, and itself too'],
  },
  {
    title: 'lets everyone unlock',
    break: (store) => {
      store.unlock = async ({ resourceId }) => {
        const held = store.find(resourceId) !== undefined
        store.locks.delete(resourceId)
        return held ? 'success' : 'lock-does-not-exist'
      }
    },
    caughtBy: ['only its owner unlocks, once, and then it is free'],
  },
  {
    title: 'never frees a lock by itself',
    break: (store) => {
      const { tryLock } = store
      store.tryLock = (request, options) => tryLock({ ...request, expirySeconds: 1e6 }, options)
    },
    caughtBy: ['a lock is free after its time, and not before'],
  },
  {
    title: 'frees a lock at once',
    break: (store) => {
      const { tryLock } = store
      store.tryLock = (request, options) => tryLock({ ...request, expirySeconds: 0 }, options)
    },
    caughtBy: [
      'who holds a lock keeps others out, and itself too',
      'a lock is free after its time, and not before',
    ],
  },
  {
    title: 'looks and takes in two steps',
    break: (store) => {
      store.tryLock = async ({ resourceId, owner, expirySeconds }, options) => {
        store.check(options)
        if (store.find(resourceId) !== undefined) return false
        await new Promise((resolve) => setImmediate(resolve))
        store.locks.set(resourceId, { owner, until: Date.now() + expirySeconds * 1000 })
        return true
      }
    },
    caughtBy: ['of many who try at once one has it'],
  },
  {
    title: 'cuts names at marks',
    break: (store) => {
      store.keyOf = (resourceId) => resourceId.split(/[/%]/)[0]!
    },
    caughtBy: ['locks of different names do not touch each other'],
  },
  {
    title: 'keeps locks to the instance',
    break: (store) => {
      store.locks = new Map()
    },
    caughtBy: ['a lock holds against other instances, and outlives the one that took it'],
  },
  {
    title: 'frees its locks at close',
    break: (store) => {
      store.close = async () => {
        store.closed = true
        store.locks.clear()
      }
    },
    caughtBy: ['a lock holds against other instances, and outlives the one that took it'],
  },
  {
    title: 'ignores signals and works on after close',
    break: (store) => {
      store.check = () => {}
    },
    caughtBy: [
      'a signal that was aborted cancels every operation and nothing is changed',
      'after close every operation is refused as CLOSED',
    ],
  },
]

proveSuite(
  lockSuite,
  (mutate) => {
    const locks: Locks = new Map()
    return defineLockStore({
      type: 'lock.reference',
      title: 'Reference',
      versions: {
        v1: {
          metadata: fields({}),
          capabilities: [],
          create: () => {
            const store = new ReferenceLocks(locks)
            mutate?.(store)
            return Promise.resolve(store)
          },
        },
      },
    })
  },
  { properties: () => ({}) },
  mutants as unknown as readonly Mutant<LockStore>[],
  ['ping answers where it exists'],
)
