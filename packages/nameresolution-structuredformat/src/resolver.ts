import { type DnsLookup, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type OperationOptions,
  type NameResolver,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'
import type { Instances } from './read.ts'

/** Instances that were listed at the start. */
export class StructuredFormatResolver implements NameResolver {
  readonly capabilities: ReadonlySet<never> = new Set<never>()
  readonly #instances: Instances
  readonly #dns: DnsLookup
  #closed = false

  constructor(instances: Instances, dns: DnsLookup) {
    this.#instances = instances
    this.#dns = dns
  }

  async resolve({ appId }: ResolveRequest, { signal }: OperationOptions): Promise<ResolveResult> {
    if (this.#closed) throw new ComponentError('CLOSED', 'the name resolver was closed')
    throwIfAborted(signal)
    if (appId === '') throw new ComponentError('INVALID_ARGUMENT', 'the id of the application is empty')
    const listed = this.#instances.get(appId) ?? []
    const results = await Promise.allSettled(
      listed.map(({ host, port }) => this.#dns.instances(host, port, signal)),
    )
    const found = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.find((result) => result.status === 'rejected')
    // One name that cannot be looked up does not take the others away.
    if (failed !== undefined && found.every(({ instances }) => instances.length === 0)) throw failed.reason
    const unique = new Map(
      found.flatMap(({ instances }) => instances.map((each) => [`${each.host} ${each.port}`, each] as const)),
    )
    const ages = found.map(({ ttlMs }) => ttlMs ?? 0)
    return { instances: [...unique.values()], ttlMs: Math.min(60_000, ...(failed ? [1000] : ages)) }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#dns.close()
    return Promise.resolve()
  }
}
