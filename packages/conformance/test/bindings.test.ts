import { fields, throwIfAborted, utf8 } from '@outrigger/kit'
import {
  ComponentError,
  defineBinding,
  type Binding,
  type BindingCapability,
  type BindingReader,
  type BindingRequest,
  type BindingResponse,
  type DeliverEvent,
  type OperationOptions,
} from '@outrigger/spec'
import { whole } from '../src/bindings/options.ts'
import { bindingSuite, type BindingSuiteOptions } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

/** The service behind the binding: things by name, and who wants to hear of events. */
const things = new Map<string, Uint8Array>()
const listeners = new Set<() => void>()

class ReferenceBinding implements Binding {
  capabilities = new Set<BindingCapability>(['input', 'output', 'streaming'])
  operations: readonly string[] = ['create', 'get']
  readers = new Set<BindingReader>()
  closed = false

  check = (options: OperationOptions): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
  }

  bytes = (data: BindingRequest['data']): Promise<Uint8Array> => whole(data)

  refuse = (operation: string): never => {
    throw new ComponentError('UNSUPPORTED', `${operation} is not one of ${this.operations.join(', ')}`)
  }

  invoke = async (request: BindingRequest, options: OperationOptions): Promise<BindingResponse> => {
    this.check(options)
    const name = request.metadata['name'] ?? ''
    if (request.operation === 'create') {
      things.set(name, await this.bytes(request.data))
      return { metadata: { name } }
    }
    if (request.operation !== 'get') this.refuse(request.operation)
    const data = things.get(name)
    if (data === undefined) throw new ComponentError('NOT_FOUND', 'nothing of this name')
    return { data }
  }

  again = true

  read = async (deliver: DeliverEvent, options: OperationOptions): Promise<BindingReader> => {
    this.check(options)
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>()
    let pending = 0
    let closing = false
    const finish = (): void => void (closing && pending === 0 && end(undefined))
    const tell = async (): Promise<void> => {
      pending++
      while (!closing) {
        const { settlement } = await deliver({ data: utf8('event'), metadata: {} }, {})
        if (settlement === 'ack' || !this.again) break
      }
      pending--
      finish()
    }
    const listener = (): void => void tell()
    listeners.add(listener)
    const reader: BindingReader = {
      ended,
      close: async (signal) => {
        closing = true
        listeners.delete(listener)
        if (signal?.aborted === true) end(undefined)
        else finish()
        await ended
      },
    }
    this.readers.add(reader)
    return reader
  }

  close = async (): Promise<void> => {
    this.closed = true
    for (const reader of this.readers) await reader.close(AbortSignal.abort())
  }
}

const worksAsListed = 'every operation that is listed has an example in the options of this suite, and works'

const mutants: readonly Mutant<ReferenceBinding>[] = [
  {
    title: 'changes data',
    break: (binding) => {
      const { bytes } = binding
      binding.bytes = async (data) => utf8(Buffer.from(await bytes(data)).toString())
    },
    caughtBy: [worksAsListed, 'data may come as a stream'],
  },
  {
    title: 'reads just the first chunk of a stream',
    break: (binding) => {
      binding.bytes = async (data) => {
        if (data instanceof Uint8Array) return data
        for await (const chunk of data) return chunk
        return new Uint8Array()
      }
    },
    caughtBy: ['data may come as a stream'],
  },
  {
    title: 'lists an operation that it does not have',
    break: (binding) => {
      binding.operations = ['create', 'get', 'delete']
    },
    caughtBy: [worksAsListed],
  },
  {
    title: 'lists no operations',
    break: (binding) => {
      binding.operations = []
    },
    caughtBy: ['operations are listed exactly where there is an output'],
  },
  {
    title: 'takes an operation that it does not know for one that it knows',
    break: (binding) => {
      const { invoke } = binding
      binding.invoke = (request, options) =>
        invoke(
          binding.operations.includes(request.operation) ? request : { ...request, operation: 'create' },
          options,
        )
    },
    caughtBy: ['an operation that is not listed is refused'],
  },
  {
    title: 'throws errors of its own',
    break: (binding) => {
      binding.refuse = (operation) => {
        throw new Error(operation)
      }
    },
    caughtBy: ['an operation that is not listed is refused'],
  },
  {
    title: 'can be read and does not declare it',
    break: (binding) => binding.capabilities.delete('input'),
    capabilities: ['output', 'streaming'],
    caughtBy: ['optional methods exist exactly where their capability is declared'],
  },
  {
    title: 'never tells of anything',
    break: (binding) => {
      const { read } = binding
      binding.read = async (_, options) => read(() => Promise.resolve({ settlement: 'ack' }), options)
    },
    caughtBy: ['what happens is told as an event'],
  },
  {
    title: 'loses what is nacked',
    break: (binding) => {
      binding.again = false
    },
    caughtBy: ['what is nacked comes again where the source can do that'],
  },
  {
    title: 'closes its reader without awaiting deliveries',
    break: (binding) => {
      const { read } = binding
      binding.read = async (...parameters) => {
        const reader = await read(...parameters)
        return { ended: reader.ended, close: () => reader.close(AbortSignal.abort()) }
      }
    },
    caughtBy: ['closing the reader awaits deliveries, ends it without an error and stops events'],
  },
  {
    title: 'awaits deliveries whatever the signal says',
    break: (binding) => {
      const { read } = binding
      binding.read = async (...parameters) => {
        const reader = await read(...parameters)
        return { ended: reader.ended, close: () => reader.close() }
      }
    },
    caughtBy: ['a reader is closed at once when the signal of close has aborted'],
  },
  {
    title: 'leaves its reader open when it closes',
    break: (binding) => {
      binding.close = async () => {
        binding.closed = true
      }
    },
    caughtBy: ['closing the instance ends its reader'],
  },
  {
    title: 'ignores signals and works on after close',
    break: (binding) => {
      binding.check = () => {}
    },
    caughtBy: [
      'a signal that was aborted cancels an operation',
      'after close an operation is refused as CLOSED',
      'reading is refused after close and when it was cancelled',
    ],
  },
]

const data = Uint8Array.from([0, 255, 1, 254, 0])
const options: BindingSuiteOptions = {
  properties: () => ({}),
  operations: (round) => [
    { operation: 'get', metadata: { name: round }, expectError: 'NOT_FOUND' },
    { operation: 'create', metadata: { name: round }, data, expectMetadata: { name: round } },
    { operation: 'get', metadata: { name: round }, expectData: data },
  ],
  input: {
    trigger: () => {
      for (const listener of listeners) listener()
    },
    redelivers: true,
  },
}

proveSuite(
  bindingSuite,
  (mutate) =>
    defineBinding({
      type: 'bindings.reference',
      title: 'Reference',
      versions: {
        v1: {
          metadata: fields({}),
          capabilities: ['input', 'output', 'streaming'],
          create: () => {
            const binding = new ReferenceBinding()
            mutate?.(binding)
            return Promise.resolve(binding)
          },
        },
      },
    }),
  options,
  mutants as unknown as readonly Mutant<Binding>[],
  ['ping answers where it exists'],
  false,
)
