import type { DaprClient, DaprServer } from '@dapr/dapr'

export type Protocol = 'HTTP' | 'gRPC'

/** Methods that the prototypes have and that no application calls: private, or what the constructor needs. */
const inner: Readonly<Record<string, string>> = {
  'daprClient.generateEndpoint': 'of the constructor',
  'daprClient.generateCredentials': 'of the constructor',
  'daprClient.generateChannelOptions': 'of the constructor',
  'daprClient.generateInterceptor': 'of the constructor',
  'daprClient.generateInterceptors': 'of the constructor',
  'daprClient._startAwaitSidecarStarted': 'private: start',
  'daprClient._startWaitForClientReady': 'private: start',
  'configuration._subscribe': 'private: subscribe, subscribeWithKeys, subscribeWithMetadata',
  'crypto.toArrayBuffer': 'private: encrypt, decrypt',
  'crypto.processStream': 'private: encrypt, decrypt',
  'lock._statusToLockStatus': 'private: unlock',
  'lock.getUnlockResponse': 'private: unlock',
  'pubsub.handleBulkPublishError': 'private: publishBulk',
  'state._configureStateOptions': 'private: save, delete, transaction',
  'pubsub.subscribeToRouteDaprPubSubRouteType': 'private: subscribeToRoute',
  'pubsub.subscribeToRouteStringType': 'private: subscribeToRoute',
  'daprServer.generateChannelOptions': 'of the constructor',
  'daprServer.initializeBind': 'private: start',
  'impl.createInputBindingHandlerKey': 'private: registerInputBindingHandler',
  'impl.createOnInvokeHandlerKey': 'private: registerOnInvokeHandler',
  'impl.onJobEventAlpha1': 'of jobs',
}

/** Parts that other tests are about, or that have no methods of this kind. */
const elsewhere: ReadonlySet<string> = new Set(['actor', 'workflow', 'options', 'serverOptions', 'logger'])

/** Every method of the client's parts, as `part.method`; those of the client itself as `client.method`. */
export function clientMethods(client: DaprClient): string[] {
  return methodsOf({ client, ...partsOf(client) })
}

/** Every method of the parts of a server, and of what answers to the sidecar, as `impl.method`. */
export function serverMethods(server: DaprServer): string[] {
  const { client: _, ...parts } = partsOf(server)
  return methodsOf({ server, ...parts, impl: implOf(server) })
}

/**
 * Tells when methods of a client or server, or of any other of its kind, are called, until it is undone: on the
 * prototypes, as servers bind what answers to the sidecar while they are made.
 */
export function watch(
  whole: DaprClient | DaprServer,
  methods: readonly string[],
): { readonly called: ReadonlySet<string>; undo(): void } {
  const called = new Set<string>()
  const undoings = methods.map((method) => {
    const [part, name] = method.split('.') as [string, string]
    const owner = Object.getPrototypeOf(partOf(whole, part)) as Record<string, unknown>
    const original = owner[name] as (...args: unknown[]) => unknown
    owner[name] = function (this: unknown, ...args: unknown[]): unknown {
      called.add(method)
      return original.apply(this, args)
    }
    return () => void (owner[name] = original)
  })
  return { called, undo: () => undoings.forEach((undo) => undo()) }
}

function partOf(whole: DaprClient | DaprServer, part: string): object {
  if (part === 'client' || part === 'server') return whole
  return part === 'impl' ? implOf(whole as DaprServer) : (whole as unknown as Record<string, object>)[part]!
}

/** What answers to the sidecar. */
function implOf(server: DaprServer): object {
  return server.daprServer.getServerImpl() as object
}

function partsOf(whole: object): Record<string, object> {
  return Object.fromEntries(
    Object.entries(whole).filter(([name, part]) => !elsewhere.has(name) && isPart(part)),
  ) as Record<string, object>
}

function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== Object.prototype
}

function methodsOf(parts: Readonly<Record<string, object>>): string[] {
  return Object.entries(parts)
    .flatMap(([part, owner]) => {
      const prototype: object = Object.getPrototypeOf(owner) as object
      return Object.getOwnPropertyNames(prototype)
        .filter((name) => name !== 'constructor')
        .map((name) => `${part}.${name}`)
    })
    .filter((name) => inner[name] === undefined)
    .sort()
}
