import { type DnsLookup, parseHostPort, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type OperationOptions,
  type NameResolver,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'

const placeholder = '{appid}'

/** Makes an address of every id. */
export class NameFormatResolver implements NameResolver {
  readonly capabilities: ReadonlySet<never> = new Set<never>()
  readonly #format: string
  readonly #dns: DnsLookup
  #closed = false

  /** @throws `INVALID_METADATA` */
  constructor(format: string, dns: DnsLookup) {
    const problem = !format.includes(placeholder)
      ? `must contain ${placeholder}`
      : parseHostPort(format.replaceAll(placeholder, 'a')) === undefined
        ? `must be a name and a port, such as ${placeholder}.apps.internal:50002`
        : undefined
    if (problem !== undefined) {
      throw new ComponentError('INVALID_METADATA', `format ${problem}, got ${JSON.stringify(format)}`)
    }
    this.#format = format
    this.#dns = dns
  }

  async resolve({ appId, port }: ResolveRequest, { signal }: OperationOptions): Promise<ResolveResult> {
    if (this.#closed) throw new ComponentError('CLOSED', 'the name resolver was closed')
    throwIfAborted(signal)
    // What is no part of a name could make another kind of address.
    const address = !/^[\w.-]+$/.test(appId)
      ? undefined
      : parseHostPort(this.#format.replaceAll(placeholder, appId))
    if (address === undefined) {
      throw new ComponentError(
        'INVALID_ARGUMENT',
        `the id ${JSON.stringify(appId.slice(0, 100))} makes no address with the format ${this.#format}`,
      )
    }
    const usedPort = address.port ?? port
    if (usedPort === undefined) {
      throw new ComponentError(
        'INVALID_ARGUMENT',
        `the format ${this.#format} has no port, and none was given`,
      )
    }
    return this.#dns.instances(address.host, usedPort, signal)
  }

  close(): Promise<void> {
    this.#closed = true
    this.#dns.close()
    return Promise.resolve()
  }
}
