import type { BindingEventResponse } from '@outrigger/proto/appcallback'
import type { Binding, Logger, OperationOptions } from '@outrigger/spec'
import { membersOf, namesOf } from '../../app/members.ts'
import type { AppResponder } from '../../bindings/types.ts'
import type { Live } from '../../components/live.ts'
import { isRecord, malformed, textIn } from '../json-body.ts'
import { rawElements, rawMember } from '../raw-json.ts'
import type { SaveItem, StateHandler } from '../state/handler.ts'
import { saveItem } from '../state/http.ts'
import type { BindingsHandler } from './handler.ts'

/** Annotation of a binding's Component whose answers may save state and, over HTTP, invoke output bindings. */
export const appResponseAnnotation = 'outrigger.dev/app-response'
const mostTargets = 100
const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()
const names = namesOf('storeName', 'state', 'to', 'concurrency', 'data')

/** What an answer asks for. */
interface Wish {
  readonly storeName: string
  readonly items: readonly SaveItem[]
  /** Output bindings that get `data`, with operation `create`. */
  readonly to: readonly string[]
  readonly parallel: boolean
  readonly data: Uint8Array
}

/**
 * Saves state and invokes output bindings that an application names in its answer to an event. What cannot be
 * done is logged and fails nothing: the event was processed.
 */
export class AppResponses implements AppResponder {
  readonly #state: StateHandler
  readonly #bindings: BindingsHandler
  readonly #logger: Logger

  /** `sources` are looked through for annotations that are neither true nor false. */
  constructor(
    state: StateHandler,
    bindings: BindingsHandler,
    sources: Iterable<Live<Binding>>,
    logger: Logger,
  ) {
    for (const { name, resource } of sources) {
      const text = resource.annotations?.[appResponseAnnotation]
      if (text !== undefined && text !== 'true' && text !== 'false')
        logger.warn(
          `Component "${name}": annotation ${appResponseAnnotation} is ${JSON.stringify(text)}, which counts as "false": write "true" or "false"`,
        )
    }
    this.#state = state
    this.#bindings = bindings
    this.#logger = logger
  }

  async http(live: Live<Binding>, body: Uint8Array, options: OperationOptions): Promise<void> {
    if (body.length === 0 || !isOn(live)) return
    await this.#guard(live, async () => {
      const wish = wishOf(body)
      if (wish !== undefined) await this.#fulfil(live, wish, options)
    })
  }

  async grpc(live: Live<Binding>, response: BindingEventResponse, options: OperationOptions): Promise<void> {
    const { storeName, states, to, concurrency, data } = response
    if (to.length === 0 && states.length === 0) return
    await this.#guard(live, async () => {
      const { saveItem: ofMessage } = await import('../state/grpc.ts')
      // Output bindings are invoked for every binding, as Dapr does over gRPC.
      const items = isOn(live) ? states.map(ofMessage) : []
      await this.#fulfil(live, { storeName, items, to, parallel: concurrency === 1, data }, options)
    })
  }

  async #fulfil(live: Live<Binding>, wish: Wish, options: OperationOptions): Promise<void> {
    const { storeName, items, to, parallel, data } = wish
    if (to.length > mostTargets)
      throw malformed(`"to" names ${to.length} bindings; at most ${mostTargets} are allowed`)
    const send = async (name: string): Promise<void> => {
      await this.#bindings.invoke({ name, operation: 'create', data, metadata: {} }, options)
    }
    const guard = (work: () => Promise<unknown>): Promise<void> => this.#guard(live, work)
    const inTurn = async (): Promise<void> => {
      for (const name of to) await send(name)
    }
    await Promise.all([
      items.length > 0 && guard(() => this.#state.save(storeName, items, options)),
      ...(parallel ? to.map((name) => guard(() => send(name))) : [guard(inTurn)]),
    ])
  }

  async #guard(live: Live<Binding>, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      this.#logger.error(`the answer to an event of binding ${live.name} could not be carried out`, {
        problem,
      })
    }
  }
}

function isOn({ resource }: Live<Binding>): boolean {
  return resource.annotations?.[appResponseAnnotation] === 'true'
}

/** `undefined` for an answer that asks for nothing: one that is no JSON object, or has neither `to` nor `state`. */
function wishOf(body: Uint8Array): Wish | undefined {
  let text: string
  let value: unknown
  try {
    text = decoder.decode(body)
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { storeName, state = null, to = null, concurrency = null } = membersOf(value, names)
  if (state === null && to === null) return undefined
  const targets = to ?? []
  if (!Array.isArray(targets) || !targets.every((name) => typeof name === 'string'))
    throw malformed('"to" must be an array of names of output bindings')
  if (concurrency !== null && concurrency !== 'parallel' && concurrency !== 'sequential')
    throw malformed('"concurrency" must be "parallel" or "sequential"')
  const span = rawMember(text, 'data')
  return {
    storeName: textIn(storeName, 'storeName') ?? '',
    items: itemsOf(state, text),
    to: targets as string[],
    parallel: concurrency === 'parallel',
    data: encoder.encode(span === undefined ? '' : text.slice(span.start, span.end)),
  }
}

function itemsOf(state: unknown, text: string): readonly SaveItem[] {
  if (state === null) return []
  if (!Array.isArray(state)) throw malformed('"state" must be an array of items with "key" and "value"')
  const starts = rawElements(text, rawMember(text, 'state')!.start)
  return state.map((item, index) => saveItem(item, text, starts[index]!, `state[${index}]`, {}))
}
