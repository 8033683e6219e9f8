import type * as Dns from 'node:dns/promises'
import { isIP } from 'node:net'
import { ComponentError, type ResolveResult } from '@outrigger/spec'
import { abortable } from './time.ts'

/** How long an answer without a time to live may be used again, and the shortest that one may. */
const shortestMs = 1000
const fixedMs = 60_000

/** Answers which say that there is nothing, not that nobody could be asked. */
const absent = new Set(['ENOTFOUND', 'ENODATA'])

type Answer = { readonly address: string; readonly ttl: number }[]

export interface DnsOptions {
  /** DNS servers, each `ip` or `ip:port`; without them those of the machine. */
  readonly nameservers?: readonly string[] | undefined
}

/** Makes a lookup; only those who need DNS load it. @throws `INVALID_METADATA` for a server that is no address */
export async function openDns({ nameservers = [] }: DnsOptions = {}): Promise<DnsLookup> {
  const dns = await import('node:dns/promises')
  const resolver = new dns.Resolver({ timeout: 2000, tries: 2 })
  if (nameservers.length === 0) return new DnsLookup(dns, resolver, true)
  try {
    resolver.setServers(nameservers)
  } catch (cause) {
    const message = `nameservers must be IP addresses with or without a port, got ${nameservers.join(', ')}`
    throw new ComponentError('INVALID_METADATA', message, { cause })
  }
  return new DnsLookup(dns, resolver, false)
}

/** Looks up all addresses of a name, with their time to live. */
export class DnsLookup {
  readonly #dns: typeof Dns
  readonly #resolver: Dns.Resolver
  readonly #askMachine: boolean

  /** Call `openDns`. */
  constructor(dns: typeof Dns, resolver: Dns.Resolver, askMachine: boolean) {
    this.#dns = dns
    this.#resolver = resolver
    this.#askMachine = askMachine
  }

  /**
   * Every address of `host`, as instances on `port`: the IPv4 ones, or the IPv6 ones where there are no others.
   * Names that only the machine itself knows (its hosts file, its search list) are asked of it last.
   * @throws `UNAVAILABLE`
   */
  async instances(host: string, port: number, signal?: AbortSignal): Promise<ResolveResult> {
    if (isIP(host) !== 0) return { instances: [{ host, port }], ttlMs: fixedMs }
    const found = await abortable(this.#ask(host), signal)
    const addresses = [...new Set(found.map(({ address }) => address))]
    const ttl = Math.min(...found.map((answer) => answer.ttl))
    return {
      instances: addresses.map((address) => ({ host: address, port })),
      ttlMs: found.length === 0 ? shortestMs : Math.max(shortestMs, ttl * 1000),
    }
  }

  /** Gives up what is being asked. */
  close(): void {
    this.#resolver.cancel()
  }

  async #ask(host: string): Promise<Answer> {
    // These never leave the machine (RFC 6761).
    if (/(^|\.)localhost\.?$/i.test(host)) return this.#machine(host)
    const [four, six] = await Promise.allSettled([
      this.#resolver.resolve4(host, { ttl: true }),
      this.#resolver.resolve6(host, { ttl: true }),
    ])
    for (const outcome of [four, six]) {
      if (outcome.status === 'fulfilled' && outcome.value.length > 0) return outcome.value
    }
    const failure = [four, six]
      .map((outcome) =>
        outcome.status === 'rejected' ? (outcome.reason as NodeJS.ErrnoException) : undefined,
      )
      .find((reason) => reason !== undefined && !absent.has(reason.code ?? ''))
    if (this.#askMachine) {
      const local = await this.#machine(host)
      if (local.length > 0) return local
    }
    if (failure === undefined) return []
    throw new ComponentError(
      'UNAVAILABLE',
      `DNS gave no answer for ${host} (${failure.code ?? 'unknown reason'})`,
      {
        cause: failure,
      },
    )
  }

  /** Asks the machine, which tells no time to live. */
  async #machine(host: string): Promise<Answer> {
    const found = await this.#dns.lookup(host, { all: true }).catch(() => [])
    const family = found.some((each) => each.family === 4) ? 4 : 6
    return found.filter((each) => each.family === family).map(({ address }) => ({ address, ttl: 1 }))
  }
}
