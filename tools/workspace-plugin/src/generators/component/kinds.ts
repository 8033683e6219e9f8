/** What a generator must know of each kind of component. */
export interface Kind {
  /** The beginning of its types. */
  readonly prefix: string
  readonly title: string
  readonly define: string
  /** The type of a live instance. */
  readonly instance: string
  readonly from: '@outrigger/spec' | '@outrigger/spec/unstable'
  /** The conformance suite and the options that it needs besides `properties`; absent where there is none yet. */
  readonly suite?: { readonly name: string; readonly options: string }
}

const stable = '@outrigger/spec'
const unstable = '@outrigger/spec/unstable'

export const kinds: readonly Kind[] = [
  {
    prefix: 'state',
    title: 'state store',
    define: 'defineStateStore',
    instance: 'StateStore',
    from: stable,
    suite: { name: 'stateStoreConformance', options: '' },
  },
  {
    prefix: 'pubsub',
    title: 'broker',
    define: 'definePubSub',
    instance: 'PubSub',
    from: stable,
    suite: { name: 'pubsubConformance', options: '' },
  },
  {
    prefix: 'bindings',
    title: 'binding',
    define: 'defineBinding',
    instance: 'Binding',
    from: stable,
    suite: { name: 'bindingConformance', options: '' },
  },
  {
    prefix: 'secretstores',
    title: 'secret store',
    define: 'defineSecretStore',
    instance: 'SecretStore',
    from: stable,
    suite: { name: 'secretStoreConformance', options: ', secrets: {}' },
  },
  {
    prefix: 'configuration',
    title: 'configuration store',
    define: 'defineConfigurationStore',
    instance: 'ConfigurationStore',
    from: stable,
    suite: { name: 'configurationConformance', options: ', write: () => {}, remove: () => {}' },
  },
  {
    prefix: 'lock',
    title: 'lock store',
    define: 'defineLockStore',
    instance: 'LockStore',
    from: stable,
    suite: { name: 'lockConformance', options: '' },
  },
  {
    prefix: 'crypto',
    title: 'crypto provider',
    define: 'defineCryptoProvider',
    instance: 'CryptoProvider',
    from: stable,
    suite: { name: 'cryptoConformance', options: ', keys: {}' },
  },
  {
    prefix: 'nameresolution',
    title: 'name resolver',
    define: 'defineNameResolver',
    instance: 'NameResolver',
    from: stable,
    suite: { name: 'nameResolutionConformance', options: '' },
  },
  {
    prefix: 'middleware.http',
    title: 'HTTP middleware',
    define: 'defineHttpMiddleware',
    instance: 'HttpMiddleware',
    from: stable,
    suite: { name: 'middlewareConformance', options: '' },
  },
  {
    prefix: 'conversation',
    title: 'conversation model',
    define: 'defineConversation',
    instance: 'ConversationProvider',
    from: unstable,
  },
  {
    prefix: 'workflowbackend',
    title: 'workflow backend',
    define: 'defineWorkflowBackend',
    instance: 'WorkflowBackend',
    from: unstable,
  },
]

/** The kind of a component type; throws for a type that belongs to none. */
export function kindOf(type: string): Kind {
  const kind = kinds.find(({ prefix }) => type.startsWith(`${prefix}.`))
  if (kind) return kind
  const known = kinds.map(({ prefix }) => `${prefix}.*`).join(', ')
  throw new Error(`"${type}" is no component type; types are ${known}`)
}
