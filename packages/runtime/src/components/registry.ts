import type {
  Binding,
  ConfigurationStore,
  CryptoProvider,
  LockStore,
  PubSub,
  SecretStore,
  StateStore,
} from '@outrigger/spec'
import { StartupError } from '../config/startup-error.ts'
import { encryptionKeys } from '../state-encryption/keys.ts'
import { encryptedOperation, withEncryption } from '../state-encryption/store.ts'
import { valueCipher } from '../state-encryption/values.ts'
import type { Resiliency } from '../resiliency/provider.ts'
import type { ComponentTarget } from '../resiliency/model.ts'
import type { Policy } from '../resiliency/policy.ts'
import { guardedBinding } from './guarded-binding.ts'
import { guardedConfiguration, guardedCrypto, guardedLock, guardedSecrets } from './guarded-calls.ts'
import { guardedPubSub } from './guarded-pubsub.ts'
import { guardedState } from './guarded-state.ts'
import type { Live, LiveStateStore, LoadedComponent } from './live.ts'
import { lockPrefix, withLockPrefix } from './lock-prefix.ts'
import { property } from './properties.ts'
import { keyPrefix, withKeyPrefix, withPrefix } from './state-prefix.ts'

/** The live components by kind and name, as the handlers see them: everything that cuts across is wrapped around them. */
export interface Registry {
  readonly state: ReadonlyMap<string, LiveStateStore>
  readonly pubsub: ReadonlyMap<string, Live<PubSub>>
  readonly bindings: ReadonlyMap<string, Live<Binding>>
  readonly secretstores: ReadonlyMap<string, Live<SecretStore>>
  readonly configuration: ReadonlyMap<string, Live<ConfigurationStore>>
  readonly lock: ReadonlyMap<string, Live<LockStore>>
  readonly crypto: ReadonlyMap<string, Live<CryptoProvider>>
  readonly all: readonly LoadedComponent[]
}

export interface RegistryNames {
  readonly appId: string
  /** As the environment gives it; nothing stands in for it here. */
  readonly resourceNamespace: string | undefined
}

/**
 * Wraps each component once: innermost the policy that applies to it, and nothing where none does.
 * @throws StartupError for metadata with which a component cannot be wrapped
 */
export function createRegistry(
  loaded: readonly LoadedComponent[],
  names: RegistryNames,
  resiliency?: Pick<Resiliency, 'component'>,
): Registry {
  const state = new Map<string, LiveStateStore>()
  const pubsub = new Map<string, Live<PubSub>>()
  const bindings = new Map<string, Live<Binding>>()
  const secretstores = new Map<string, Live<SecretStore>>()
  const configuration = new Map<string, Live<ConfigurationStore>>()
  const lock = new Map<string, Live<LockStore>>()
  const crypto = new Map<string, Live<CryptoProvider>>()
  for (const component of loaded) {
    const { name } = component.resource
    /** The instance within its policy, if it has one. */
    const guarded = <I>(target: ComponentTarget, guard: (instance: I, policy: Policy) => I): I => {
      const instance = component.instance as I
      const policy = resiliency?.component(name, target, 'Outbound')
      return policy === undefined ? instance : guard(instance, policy)
    }
    if (component.kind === 'state') {
      state.set(name, liveState(component, guarded('Statestore', guardedState), names))
    } else if (component.kind === 'pubsub') {
      pubsub.set(name, { ...component, name, instance: guarded('Pubsub', guardedPubSub) })
    } else if (component.kind === 'bindings') {
      bindings.set(name, { ...component, name, instance: guarded('Binding', guardedBinding) })
    } else if (component.kind === 'configuration') {
      const instance = guarded('Configuration', guardedConfiguration)
      configuration.set(name, { ...component, name, instance })
    } else if (component.kind === 'lock') {
      const prefix = lockPrefix(component, { appId: names.appId, storeName: name })
      const instance = withLockPrefix(guarded('Lock', guardedLock), prefix)
      lock.set(name, { ...component, name, instance })
    } else if (component.kind === 'crypto') {
      crypto.set(name, { ...component, name, instance: guarded('Crypto', guardedCrypto) })
    } else if (component.kind === 'secretstores') {
      secretstores.set(name, { ...component, name, instance: guarded('Secretstore', guardedSecrets) })
    }
  }
  return { state, pubsub, bindings, secretstores, configuration, lock, crypto, all: loaded }
}

function liveState(component: LoadedComponent, bare: StateStore, names: RegistryNames): LiveStateStore {
  const { name } = component.resource
  const strategy = property(component.properties, 'keyPrefix')
  if (strategy?.includes('||')) {
    const { type, source } = component.resource
    throw new StartupError([
      `${source.file}:${source.line}: Component "${name}" (${type}): keyPrefix must not contain ||: appid, name, namespace, none or a word of your own`,
    ])
  }
  const { appId, resourceNamespace: namespace = '' } = names
  const prefix = keyPrefix(strategy, { appId, namespace, storeName: name })
  const keys = encryptionKeys(component)
  if (keys === undefined) {
    const instance = withKeyPrefix(bare, prefix)
    return { ...component, name, instance, bare, wrap: (operation) => withPrefix(operation, prefix) }
  }
  const cipher = valueCipher(name, keys)
  return {
    ...component,
    name,
    instance: withKeyPrefix(withEncryption(bare, name, cipher), prefix),
    bare,
    wrap: (operation) => withPrefix(encryptedOperation(operation, cipher), prefix),
  }
}

/** What a component can do, as `GET /v1.0/metadata` names it for each kind. */
export function capabilityNames(component: LoadedComponent): readonly string[] {
  // Dapr's providers name none.
  if (component.kind === 'crypto') return []
  const instance = component.instance as { readonly capabilities?: ReadonlySet<string> }
  return [...(instance.capabilities ?? [])].map(
    (capability) => wireNames[component.kind]?.[capability] ?? upperSnake(capability),
  )
}

/** Those that Dapr names otherwise; what it has not is written in its manner. */
const wireNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  state: { query: 'QUERY_API' },
  pubsub: { ttl: 'MESSAGE_TTL', wildcards: 'SUBSCRIBE_WILDCARDS', bulkPublish: 'BULK_PUBSUB' },
  bindings: { input: 'INPUT_BINDING', output: 'OUTPUT_BINDING' },
  secretstores: { multipleKeyValues: 'MULTIPLE_KEY_VALUES_PER_SECRET' },
}

function upperSnake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
