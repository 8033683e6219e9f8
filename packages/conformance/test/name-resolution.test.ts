import { fields, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type OperationOptions,
  defineNameResolver,
  type Instance,
  type InstanceWatch,
  type NameResolutionCapability,
  type NameResolver,
  type RegisteredInstance,
  type Registration,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'
import { nameResolutionSuite } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

interface Row {
  readonly registration: Registration
  healthy: boolean
}

/** What all instances of a reference share. */
interface Registry {
  readonly rows: Set<Row>
  readonly watches: Set<() => void>
}

class Reference implements NameResolver {
  capabilities = new Set<NameResolutionCapability>(['register', 'watch'])
  registry: Registry
  closed = false
  own = new Set<RegisteredInstance>()
  watching = new Set<InstanceWatch>()

  constructor(registry: Registry) {
    this.registry = registry
  }

  check = (appId: string, { signal }: OperationOptions): void => {
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
    throwIfAborted(signal)
    if (appId === '') throw new ComponentError('INVALID_ARGUMENT', 'empty')
  }

  matches = (row: Row, request: ResolveRequest): boolean =>
    row.healthy &&
    row.registration.appId === request.appId &&
    row.registration.namespace === request.namespace

  find = (request: ResolveRequest): Instance[] => {
    const found = [...this.registry.rows].filter((row) => this.matches(row, request))
    return found.map(({ registration: { host, port } }) => ({ host, port }))
  }

  changed = (): void => {
    for (const tell of this.registry.watches) tell()
  }

  resolve = async (request: ResolveRequest, options: OperationOptions): Promise<ResolveResult> => {
    this.check(request.appId, options)
    return { instances: this.find(request) }
  }

  register = async (registration: Registration, options: OperationOptions): Promise<RegisteredInstance> => {
    this.check(registration.appId, options)
    const row: Row = { registration, healthy: true }
    this.registry.rows.add(row)
    this.changed()
    const registered: RegisteredInstance = {
      setHealthy: async (healthy) => {
        if (!this.registry.rows.has(row)) throw new ComponentError('CLOSED', 'closed')
        row.healthy = healthy
        this.changed()
      },
      close: async () => {
        this.registry.rows.delete(row)
        this.own.delete(registered)
        this.changed()
      },
    }
    this.own.add(registered)
    return registered
  }

  watch = async (
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    options: OperationOptions,
  ): Promise<InstanceWatch> => {
    this.check(request.appId, options)
    let told: string | undefined
    const tell = (): void => {
      const instances = this.find(request)
      const text = JSON.stringify(instances)
      if (text !== told) onChange(instances)
      told = text
    }
    tell()
    this.registry.watches.add(tell)
    const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
    const watch: InstanceWatch = {
      close: async () => {
        this.registry.watches.delete(tell)
        resolve(undefined)
      },
      ended,
    }
    this.watching.add(watch)
    return watch
  }

  close = async (): Promise<void> => {
    this.closed = true
    for (const watch of this.watching) await watch.close()
    for (const registered of this.own) await registered.close()
  }
}

const mutants: readonly Mutant<Reference>[] = [
  {
    title: 'finds one instance of several',
    break: (resolver) => {
      const { find } = resolver
      resolver.find = (request) => find(request).slice(0, 1)
    },
    caughtBy: ['all instances of one id are found, each once'],
  },
  {
    title: 'finds instances twice',
    break: (resolver) => {
      const { find } = resolver
      resolver.find = (request) => [...find(request), ...find(request)]
    },
    caughtBy: ['what is registered is found by others with its address'],
  },
  {
    title: 'looks for ids that begin alike',
    break: (resolver) => {
      resolver.matches = (row, { appId, namespace }) =>
        row.healthy && row.registration.appId.startsWith(appId) && row.registration.namespace === namespace
    },
    caughtBy: [
      'ids that begin or end alike are not mixed up',
      'a watch tells only what is different, and of its own id only',
    ],
  },
  {
    title: 'knows no namespaces',
    break: (resolver) => {
      resolver.matches = (row, { appId }) => row.healthy && row.registration.appId === appId
    },
    caughtBy: ['the same id in two namespaces is two applications'],
  },
  {
    title: 'puts brackets around IPv6',
    break: (resolver) => {
      const { find } = resolver
      resolver.find = (request) =>
        find(request).map(({ host, port }) => ({ host: host.includes(':') ? `[${host}]` : host, port }))
    },
    caughtBy: ['an IPv6 address comes back without brackets'],
  },
  {
    title: 'throws where nobody is found',
    break: (resolver) => {
      const { resolve } = resolver
      resolver.resolve = async (request, options) => {
        const result = await resolve(request, options)
        if (result.instances.length === 0) throw new ComponentError('NOT_FOUND', 'nobody')
        return result
      }
    },
    caughtBy: [
      'an id that nobody has gives an empty list',
      'names of built-in properties are ids like others',
      'an id that cannot be a name is refused as INVALID_ARGUMENT, or nobody has it',
    ],
  },
  {
    title: 'lets everybody have the empty id',
    break: (resolver) => {
      resolver.check = (_appId, { signal }) => {
        if (resolver.closed) throw new ComponentError('CLOSED', 'closed')
        throwIfAborted(signal)
      }
    },
    caughtBy: ['an id that cannot be a name is refused as INVALID_ARGUMENT, or nobody has it'],
  },
  {
    title: 'does not care for health',
    break: (resolver) => {
      resolver.matches = ({ registration }, { appId, namespace }) =>
        registration.appId === appId && registration.namespace === namespace
    },
    caughtBy: [
      'an unhealthy instance is not found, and is again when it is healthy',
      'changes of health that follow each other at once end as the last one says',
      'a watch tells of instances that come, fall ill, heal and go',
    ],
  },
  {
    title: 'does changes of health in any order',
    break: (resolver) => {
      const { register } = resolver
      resolver.register = async (registration, options) => {
        const registered = await register(registration, options)
        const { setHealthy } = registered
        return {
          ...registered,
          setHealthy: async (healthy, each) => {
            await new Promise((resolve) => setTimeout(resolve, healthy ? 50 : 1))
            await setHealthy(healthy, each)
          },
        }
      }
    },
    caughtBy: ['changes of health that follow each other at once end as the last one says'],
  },
  {
    title: 'leaves what is closed',
    break: (resolver) => {
      const { register } = resolver
      resolver.register = async (registration, options) => ({
        ...(await register(registration, options)),
        close: async () => {},
      })
    },
    caughtBy: ['a registration that is closed is gone, healthy or not, and the others stay'],
  },
  {
    title: 'leaves its registrations when it is closed',
    break: (resolver) => {
      resolver.close = async () => {
        resolver.closed = true
        for (const watch of resolver.watching) await watch.close()
      }
    },
    caughtBy: ['closing the resolver takes out what it registered'],
  },
  {
    title: 'leaves its watches when it is closed',
    break: (resolver) => {
      resolver.close = async () => {
        resolver.closed = true
        for (const registered of resolver.own) await registered.close()
      }
    },
    caughtBy: ['closing the resolver ends its watches'],
  },
  {
    title: 'keeps registrations to the instance',
    break: (resolver) => {
      resolver.registry = { rows: new Set(), watches: new Set() }
    },
    caughtBy: [
      'what is registered is found by others with its address',
      'closing the resolver takes out what it registered',
      'a watch tells of instances that come, fall ill, heal and go',
    ],
  },
  {
    title: 'begins a watch in silence',
    break: (resolver) => {
      const { watch } = resolver
      resolver.watch = async (request, onChange, options) => {
        let begun = false
        const watching = await watch(request, (instances) => begun && onChange(instances), options)
        begun = true
        return watching
      }
    },
    caughtBy: ['a watch tells what there is before it resolves'],
  },
  {
    title: 'tells a watch the same again',
    break: (resolver) => {
      const { watch } = resolver
      resolver.watch = async (request, onChange, options) => {
        const again = (): void => onChange(resolver.find(request))
        const watching = await watch(request, () => {}, options)
        again()
        resolver.registry.watches.add(again)
        return watching
      }
    },
    caughtBy: ['a watch tells only what is different, and of its own id only'],
  },
  {
    title: 'goes on telling a watch that is closed',
    break: (resolver) => {
      const { watch } = resolver
      resolver.watch = async (request, onChange, options) => {
        const { ended } = await watch(request, onChange, options)
        return { ended, close: async () => {} }
      }
    },
    caughtBy: ['after its close a watch is silent, others go on, and ended tells of no error'],
  },
  {
    title: 'ignores signals and works on after close',
    break: (resolver) => {
      resolver.check = () => {}
    },
    caughtBy: [
      'a signal that was aborted cancels every operation',
      'after close every operation is refused as CLOSED',
    ],
  },
]

proveSuite(
  nameResolutionSuite,
  (mutate) => {
    const registry: Registry = { rows: new Set(), watches: new Set() }
    return defineNameResolver({
      type: 'nameresolution.reference',
      title: 'Reference',
      versions: {
        v1: {
          metadata: fields({}),
          capabilities: ['register', 'watch'],
          create: () => {
            const resolver = new Reference(registry)
            mutate?.(resolver)
            return Promise.resolve(resolver)
          },
        },
      },
    })
  },
  { properties: () => ({}) },
  mutants as unknown as readonly Mutant<NameResolver>[],
  ['ping answers where it exists', 'the instances that are known are found, each once'],
)
