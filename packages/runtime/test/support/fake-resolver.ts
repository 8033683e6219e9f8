import type { Instance, InstanceWatch, NameResolver, ResolveRequest, ResolveResult } from '@outrigger/spec'

interface Watched {
  readonly request: ResolveRequest
  readonly change: (instances: readonly Instance[]) => void
  readonly end: (error?: Error) => void
  closed: boolean
}

/** Finds what it is told, `host:port`, and remembers what it was asked. */
export class FakeResolver implements NameResolver {
  readonly capabilities: NameResolver['capabilities']
  readonly asked: ResolveRequest[] = []
  readonly watches: Watched[] = []
  found: readonly string[] = []
  ttlMs: number | undefined
  /** What it rejects with instead. */
  failure: unknown
  /** Its answers wait for it. */
  gate: Promise<void> = Promise.resolve()
  closed = false

  constructor({ watch = false }: { readonly watch?: boolean } = {}) {
    this.capabilities = new Set(watch ? ['watch'] : [])
  }

  async resolve(request: ResolveRequest): Promise<ResolveResult> {
    await this.#ask(request)
    return { instances: this.found.map(instanceOf), ttlMs: this.ttlMs }
  }

  async watch(request: ResolveRequest, change: Watched['change']): Promise<InstanceWatch> {
    await this.#ask(request)
    let end = (_error?: Error): void => {}
    const ended = new Promise<Error | undefined>((resolve) => (end = resolve))
    const watched: Watched = { request, change, end, closed: false }
    this.watches.push(watched)
    change(this.found.map(instanceOf))
    const close = async (): Promise<void> => {
      watched.closed = true
      end()
    }
    return { close, ended }
  }

  async #ask(request: ResolveRequest): Promise<void> {
    this.asked.push(request)
    await this.gate
    if (this.failure !== undefined) throw this.failure
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.closed = true
  }
}

export function instanceOf(address: string): Instance {
  const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(address) ?? []
  return { host, port: Number(port) }
}
