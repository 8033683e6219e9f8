import { join } from 'node:path'
import { fields } from '@outrigger/kit'
import {
  ComponentError,
  defineConfigurationStore,
  definePubSub,
  defineSecretStore,
  defineStateStore,
  type ComponentDefinition,
  type StateStore,
  type StateStoreDefinition,
} from '@outrigger/spec'
import { component } from '../../src/index.ts'
import { queryableState } from '../state-query/queryable.ts'

const close = async (): Promise<void> => {}
const metadata = fields({})

const gone = new ComponentError('UNAVAILABLE', 'the server has gone')

/** A store that forgets everything, and cannot read one key. */
function stateOf(name: string, more: Partial<StateStore>): StateStoreDefinition {
  const store: StateStore = {
    capabilities: new Set(),
    async get({ key }) {
      if (key.endsWith('unreadable')) throw gone
      return undefined
    },
    async set() {},
    async delete() {},
    close,
    ...more,
  }
  return defineStateStore({
    type: `state.${name}`,
    title: name,
    versions: { v1: { metadata, capabilities: [], create: async () => store } },
  })
}

/** Components that refuse what others do. */
export const ownDefinitions: readonly ComponentDefinition[] = [
  queryableState(),
  stateOf('simple', {}),
  stateOf('bulky', {
    async bulkGet() {
      throw gone
    },
  }),
  definePubSub({
    type: 'pubsub.deaf',
    title: 'Deaf',
    versions: {
      v1: {
        metadata,
        capabilities: [],
        create: async () => ({
          capabilities: new Set(),
          async publish() {},
          async subscribe() {
            throw new ComponentError('UNAVAILABLE', 'it hears nothing')
          },
          close,
        }),
      },
    },
  }),
  defineSecretStore({
    type: 'secretstores.shy',
    title: 'Shy',
    versions: {
      v1: {
        metadata,
        capabilities: [],
        create: async () => ({
          capabilities: new Set(),
          get: async () => undefined,
          async bulkGet() {
            throw new ComponentError('UNSUPPORTED', 'it cannot list')
          },
          close,
        }),
      },
    },
  }),
  defineConfigurationStore({
    type: 'configuration.still',
    title: 'Still',
    versions: {
      v1: {
        metadata,
        capabilities: [],
        create: async () => ({ capabilities: new Set(), get: async () => ({}), close }),
      },
    },
  }),
]

/** The resources that use them, with a secret store on the file of `folder`. */
export function ownResources(folder: string): string {
  return [
    component('vault', 'secretstores.local.file', {
      metadata: { secretsFile: join(folder, 'own-secrets.json') },
    }),
    component('limited', 'state.queryable'),
    component('sealed', 'state.queryable', {
      metadata: { primaryEncryptionKey: { secret: 'stateKey' } },
      secretStore: 'vault',
    }),
    component('simple', 'state.simple'),
    component('bulky', 'state.bulky'),
    component('outboxed', 'state.queryable', {
      metadata: { outboxPublishPubsub: 'deaf', outboxPublishTopic: 'orders' },
    }),
    component('deaf', 'pubsub.deaf'),
    component('shy', 'secretstores.shy'),
    component('still', 'configuration.still'),
  ].join('\n---\n')
}
