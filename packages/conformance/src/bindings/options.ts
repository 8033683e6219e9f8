import type {
  Binding,
  BindingCapability,
  BindingData,
  BindingEvent,
  BindingResponse,
  ComponentErrorCode,
  Metadata,
} from '@outrigger/spec'
import type { Fixture, SuiteOptions } from '../fixture.ts'
import type { Case } from '../suite.ts'

/** One call of the output side and what must come of it. */
export interface BindingStep {
  readonly operation: string
  /** What is being tried; the operation without it. */
  readonly title?: string | undefined
  readonly data?: string | Uint8Array | undefined
  readonly contentType?: string | undefined
  readonly metadata?: Metadata | undefined
  /** The exact data of the response. */
  readonly expectData?: string | Uint8Array | undefined
  /** Metadata that the response has, among others. */
  readonly expectMetadata?: Metadata | undefined
  /** The call must fail so. */
  readonly expectError?: ComponentErrorCode | undefined
  /** Looks at the response itself; throws when it is wrong. */
  readonly check?: ((response: BindingResponse, data: Uint8Array) => void | Promise<void>) | undefined
}

/** How the input side is made to tell of something. */
export interface BindingInput {
  /** Makes one event happen. */
  readonly trigger: () => void | Promise<void>
  /** Looks at the event; throws when it is wrong. */
  readonly check?: ((event: BindingEvent) => void) | undefined
  /** What is nacked comes again. */
  readonly redelivers?: boolean | undefined
}

/** What the binding suite can be told. */
export interface BindingSuiteOptions extends SuiteOptions {
  /**
   * Calls that are made one after the other on one instance; every operation that the binding lists occurs.
   * They are made again from the start with streams where the binding streams: `round` tells names of the rounds apart.
   */
  readonly operations?: readonly BindingStep[] | ((round: string) => readonly BindingStep[]) | undefined
  readonly input?: BindingInput | undefined
}

export type BindingFixture = Fixture<BindingCapability, Binding, BindingSuiteOptions>
export type BindingCase = Case<BindingCapability, Binding, BindingSuiteOptions>

export function stepsOf({ options }: BindingFixture, round: string): readonly BindingStep[] {
  return typeof options.operations === 'function' ? options.operations(round) : (options.operations ?? [])
}

/** The data whole, whatever way it came. */
export async function whole(data: BindingData | undefined): Promise<Uint8Array> {
  if (data === undefined) return new Uint8Array()
  if (data instanceof Uint8Array) return data
  const chunks: Uint8Array[] = []
  for await (const chunk of data) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The data as a stream of small chunks that can be read once. */
export async function* inChunks(data: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = Math.max(1, Math.ceil(data.length / 3))
  for (let at = 0; at < data.length; at += size) {
    await Promise.resolve()
    yield data.subarray(at, at + size)
  }
}
