import type {
  ConfigurationStore,
  CryptoProvider,
  LockStore,
  OperationOptions,
  SecretStore,
} from '@outrigger/spec'
import { Guard } from './guard.ts'
import type { Policy } from '../resiliency/policy.ts'

type Method<A extends readonly unknown[], T> = (...args: [...A, OperationOptions]) => Promise<T>

/** A method of a component, whose last argument are the options of the operation. */
function guarded<A extends readonly unknown[], T>(
  guard: Guard,
  component: object,
  method: Method<A, T>,
): Method<A, T> {
  return (...args) => {
    const options = args.at(-1) as OperationOptions
    const first = args.slice(0, -1) as unknown as A
    return guard.run(options, (own) => method.call(component, ...first, own))
  }
}

/** A store of secrets that is asked as a policy says. */
export function guardedSecrets(store: SecretStore, policy: Policy): SecretStore {
  const guard = new Guard(policy)
  const { ping } = store
  return {
    capabilities: store.capabilities,
    get: guarded(guard, store, store.get),
    bulkGet: guarded(guard, store, store.bulkGet),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}

/** A lock store that is asked as a policy says. */
export function guardedLock(store: LockStore, policy: Policy): LockStore {
  const guard = new Guard(policy)
  const { ping } = store
  return {
    capabilities: store.capabilities,
    tryLock: guarded(guard, store, store.tryLock),
    unlock: guarded(guard, store, store.unlock),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}

/** A configuration store that is asked, and subscribed to, as a policy says. */
export function guardedConfiguration(store: ConfigurationStore, policy: Policy): ConfigurationStore {
  const guard = new Guard(policy)
  const { subscribe, ping } = store
  return {
    capabilities: store.capabilities,
    get: guarded(guard, store, store.get),
    ...(subscribe && {
      subscribe: (request, onChange, options) =>
        guard.run(options, (own) => subscribe.call(store, request, onChange, own), {
          discard: (late) => void late.close().catch(() => undefined),
        }),
    }),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}

/** A crypto provider that is asked as a policy says. */
export function guardedCrypto(provider: CryptoProvider, policy: Policy): CryptoProvider {
  const guard = new Guard(policy)
  const { getKey, encrypt, decrypt, wrapKey, unwrapKey, sign, verify, ping } = provider
  return {
    capabilities: provider.capabilities,
    algorithms: provider.algorithms,
    ...(getKey && { getKey: guarded(guard, provider, getKey) }),
    ...(encrypt && { encrypt: guarded(guard, provider, encrypt) }),
    ...(decrypt && { decrypt: guarded(guard, provider, decrypt) }),
    ...(wrapKey && { wrapKey: guarded(guard, provider, wrapKey) }),
    ...(unwrapKey && { unwrapKey: guarded(guard, provider, unwrapKey) }),
    ...(sign && { sign: guarded(guard, provider, sign) }),
    ...(verify && { verify: guarded(guard, provider, verify) }),
    ...(ping && { ping: (options) => ping.call(provider, options) }),
    close: () => provider.close(),
  }
}
