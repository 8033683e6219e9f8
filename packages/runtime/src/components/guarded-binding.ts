import type { Binding, BindingData, BindingResponse } from '@outrigger/spec'
import { Guard, judge } from './guard.ts'
import type { Policy, Verdict } from '../resiliency/policy.ts'

const once = (error: unknown): Verdict => ({ ...judge(error), final: true })

/**
 * A binding that is invoked as a policy says. A request that is a stream can be read once, so it is not repeated; an
 * answer that is one counts when it has ended.
 */
export function guardedBinding(binding: Binding, policy: Policy): Binding {
  const guard = new Guard(policy)
  const { invoke, read, ping } = binding
  return {
    capabilities: binding.capabilities,
    operations: binding.operations,
    ...(invoke && {
      invoke: async (request, options) => {
        const whole = request.data instanceof Uint8Array
        const { response } = await guard.run(
          options,
          async (own) => watched(await invoke.call(binding, request, own)),
          {
            judge: whole ? judge : once,
            discard: ({ response: late }) => cancel(late.data),
            outcome: ({ ended }) => ended,
          },
        )
        return response
      },
    }),
    ...(read && { read: (deliver, options) => read.call(binding, deliver, options) }),
    ...(ping && { ping: (options) => ping.call(binding, options) }),
    close: () => binding.close(),
  }
}

interface Watched {
  readonly response: BindingResponse
  /** Of an answer that is a stream: whether it came to its end. */
  readonly ended: Promise<boolean> | undefined
}

function watched(response: BindingResponse): Watched {
  const { data } = response
  if (data === undefined || data instanceof Uint8Array) return { response, ended: undefined }
  const { promise, resolve } = Promise.withResolvers<boolean>()
  return { response: { ...response, data: follow(data, resolve) }, ended: promise }
}

/** The stream, telling how it ended; a reader that has had enough, perhaps before the first part, closes it. */
function follow(stream: AsyncIterable<Uint8Array>, tell: (well: boolean) => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const parts = stream[Symbol.asyncIterator]()
      return {
        async next() {
          try {
            const part = await parts.next()
            if (part.done === true) tell(true)
            return part
          } catch (error) {
            tell(false)
            throw error
          }
        },
        async return() {
          tell(true)
          await parts.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

function cancel(data: BindingData | undefined): void {
  if (data === undefined || data instanceof Uint8Array) return
  // Nobody is left to hear of it.
  Promise.resolve(data[Symbol.asyncIterator]().return?.()).catch(() => undefined)
}
