import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { ComponentError } from '@outrigger/spec'
import type { ResolveResult } from '@outrigger/spec/unstable'
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

/** Looks up all addresses of a name, with their time to live. */
export class DnsLookup {
  readonly #resolver: Resolver
  readonly #ownServers: boolean

  /** @throws TypeError for a server that is no address */
  constructor({ nameservers = [] }: DnsOptions = {}) {
    this.#resolver = new Resolver({ timeout: 2000, tries: 2 })
    this.#ownServers = nameservers.length > 0
    if (this.#ownServers) this.#resolver.setServers(nameservers)
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
    if (!this.#ownServers) {
      const local = await lookup(host, { all: true }).catch(() => [])
      const family = local.some((each) => each.family === 4) ? 4 : 6
      const addresses = local.filter((each) => each.family === family)
      if (addresses.length > 0) return addresses.map(({ address }) => ({ address, ttl: 1 }))
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
}
