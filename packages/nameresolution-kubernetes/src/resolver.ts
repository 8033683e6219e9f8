import { type DnsLookup, parseHostPort, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type OperationOptions,
  type NameResolver,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'
import type { AddressTemplate } from './template.ts'

/** Port of the internal API of every sidecar in a cluster. */
const internalPort = 50_002

/** Asks DNS for the addresses behind the service of an application. */
export class KubernetesResolver implements NameResolver {
  readonly capabilities: ReadonlySet<never> = new Set<never>()
  readonly #addressOf: AddressTemplate
  readonly #dns: DnsLookup
  #closed = false

  constructor(addressOf: AddressTemplate, dns: DnsLookup) {
    this.#addressOf = addressOf
    this.#dns = dns
  }

  async resolve(request: ResolveRequest, { signal }: OperationOptions): Promise<ResolveResult> {
    if (this.#closed) throw new ComponentError('CLOSED', 'the name resolver was closed')
    throwIfAborted(signal)
    const { appId, namespace, port = internalPort } = request
    const text = appId === '' ? '' : this.#addressOf({ ...request, port })
    const address = parseHostPort(text)
    if (address === undefined) {
      const named = `the id ${JSON.stringify(appId.slice(0, 100))} in namespace ${JSON.stringify(namespace.slice(0, 100))}`
      throw new ComponentError(
        'INVALID_ARGUMENT',
        `${named} makes no address (${JSON.stringify(text.slice(0, 300))})`,
      )
    }
    return this.#dns.instances(address.host, address.port ?? port, signal)
  }

  close(): Promise<void> {
    this.#closed = true
    this.#dns.close()
    return Promise.resolve()
  }
}
