import type { Metadata } from '@outrigger/spec'
import { noOptions, type CallOptions } from '../call.ts'
import { parseJson, payloadOf, required, textOf, type Payload } from '../values.ts'

/** What a binding answered. */
export class BindingAnswer {
  readonly bytes: Uint8Array
  /** Names in lower case, as headers of HTTP have no case. */
  readonly metadata: Metadata

  constructor(bytes: Uint8Array, metadata: Metadata) {
    this.bytes = bytes
    this.metadata = metadata
  }

  text(): string {
    return textOf(this.bytes)
  }

  /** `undefined` when the answer is empty. @throws OutriggerError ERR_CLIENT_ANSWER when it is no JSON */
  json<T = unknown>(): T | undefined {
    if (this.bytes.length === 0) return undefined
    return parseJson(this.text(), 'the answer of the binding') as T
  }
}

export interface BindingsPort {
  /** `data`: absent means none. */
  invoke(
    name: string,
    operation: string,
    data: Payload | undefined,
    options: CallOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly metadata: Iterable<readonly [string, string]> }>
}

/** Output bindings. */
export class BindingsClient {
  readonly #port: BindingsPort

  constructor(port: BindingsPort) {
    this.#port = port
  }

  /**
   * Carries an operation out. `data` is any JSON value, or bytes, which over HTTP must be JSON; what the operation
   * wants to know stands in `options.metadata`.
   */
  async invoke(
    name: string,
    operation: string,
    data?: unknown,
    options: CallOptions = noOptions,
  ): Promise<BindingAnswer> {
    required(name, 'the name of the binding')
    const payload = data === undefined ? undefined : payloadOf(data, 'the data')
    const { bytes, metadata } = await this.#port.invoke(name, operation, payload, options)
    const lower = Array.from(metadata, ([key, value]) => [key.toLowerCase(), value] as const)
    return new BindingAnswer(bytes, Object.fromEntries(lower))
  }
}
