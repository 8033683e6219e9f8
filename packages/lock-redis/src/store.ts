import type { RedisArgument, RedisClient, SendOptions } from '@outrigger/common-redis'
import {
  ComponentError,
  type LockCapability,
  type LockStore,
  type OperationOptions,
  type TryLockRequest,
  type UnlockRequest,
  type UnlockStatus,
} from '@outrigger/spec'

/** Frees the lock if the owner holds it: 1 freed, 0 held by another, -1 not held. */
const unlockLua = `
local owner = redis.call('GET', KEYS[1])
if not owner then return -1 end
if owner ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`

const statuses: Readonly<Record<string, UnlockStatus>> = {
  '1': 'success',
  '0': 'lock-belongs-to-others',
  '-1': 'lock-does-not-exist',
}

const capabilities: ReadonlySet<LockCapability> = new Set()

/** A lock is a key whose value is its owner and whose time to live is the lock's. */
export class RedisLockStore implements LockStore {
  readonly capabilities = capabilities
  readonly #client: RedisClient
  readonly #unlock: (args: readonly RedisArgument[], options?: SendOptions) => Promise<unknown>

  constructor(client: RedisClient) {
    this.#client = client
    this.#unlock = client.script({ name: 'outriggerUnlock', lua: unlockLua, keys: 1 })
  }

  // Neither is repeated when its connection breaks: who took or freed the lock the first time would be told that it did not.
  async tryLock(request: TryLockRequest, { signal }: OperationOptions): Promise<boolean> {
    const { resourceId, owner, expirySeconds } = request
    const reply = await this.#client.send('set', [resourceId, owner, 'NX', 'PX', expirySeconds * 1000], {
      signal,
    })
    return reply !== null
  }

  async unlock({ resourceId, owner }: UnlockRequest, { signal }: OperationOptions): Promise<UnlockStatus> {
    const reply = String(await this.#unlock([resourceId, owner], { signal }))
    const status = statuses[reply]
    if (status === undefined) throw new ComponentError('INTERNAL', `unexpected reply of the server: ${reply}`)
    return status
  }

  ping({ signal }: OperationOptions): Promise<void> {
    return this.#client.ping(signal)
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
