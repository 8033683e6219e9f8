import { isIP } from 'node:net'
import { abortable, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Clock,
  type Logger,
  type OperationOptions,
  type Random,
  type Instance,
  type InstanceWatch,
  type NameResolutionCapability,
  type NameResolver,
  type RegisteredInstance,
  type Registration,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'
import { Advertisement } from './advertisement.ts'
import { Browser } from './browser.ts'
import { decodeMessage, isNameable } from './messages.ts'
import { Multicast } from './multicast.ts'

export const capabilities = ['register', 'watch'] as const satisfies readonly NameResolutionCapability[]

/** Applications that are looked for at the same time. */
const mostBrowsers = 1000
/** What one text of a TXT record can hold, less the name that goes before. */
const longestNamespace = 240

interface Context {
  readonly metadata: { readonly interfaces: readonly string[] | undefined }
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Instances on the local network, by multicast DNS. */
export class MdnsResolver implements NameResolver {
  readonly capabilities: ReadonlySet<NameResolutionCapability> = new Set(capabilities)
  readonly #context: Context
  readonly #multicast: Multicast
  readonly #advertisements = new Set<Advertisement>()
  readonly #browsers = new Map<string, Browser>()
  #closing: Promise<void> | undefined

  constructor(context: Context) {
    this.#context = context
    this.#multicast = new Multicast({
      interfaces: context.metadata.interfaces,
      clock: context.clock,
      logger: context.logger,
      onMessage: (bytes) => this.#receive(bytes),
      onLink: () => this.#repeat(),
    })
  }

  open(): Promise<void> {
    return this.#multicast.open()
  }

  async resolve(request: ResolveRequest, { signal }: OperationOptions): Promise<ResolveResult> {
    const browser = this.#browserOf(request.appId, signal)
    const instances = await abortable(browser.find(request.namespace), signal)
    if (this.#closing !== undefined) throw closed()
    if (instances.length === 0 && !this.#multicast.usable) throw this.#unavailable()
    return { instances }
  }

  async register(registration: Registration, { signal }: OperationOptions): Promise<RegisteredInstance> {
    const { appId, namespace, host, port } = registration
    this.#check(appId, signal)
    if (isIP(host) === 0 || host.includes('%')) {
      throw new ComponentError('INVALID_ARGUMENT', `mDNS tells IP addresses only, and "${host}" is none`)
    }
    if (Buffer.byteLength(namespace) > longestNamespace) {
      throw new ComponentError('INVALID_ARGUMENT', `the namespace is longer than ${longestNamespace} bytes`)
    }
    const { clock, random } = this.#context
    const advertisement: Advertisement = new Advertisement(
      { instance: instanceName(random), appId, namespace, host, port },
      {
        clock,
        send: (message) => this.#multicast.send(message),
        closed: () => void this.#advertisements.delete(advertisement),
      },
    )
    this.#advertisements.add(advertisement)
    await advertisement.announce()
    return advertisement
  }

  async watch(
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    { signal }: OperationOptions,
  ): Promise<InstanceWatch> {
    const browser = this.#browserOf(request.appId, signal)
    let cancelled = false
    const started = browser.watch(request.namespace, (instances) => {
      if (!cancelled) onChange(instances)
    })
    try {
      return await abortable(started, signal)
    } catch (error) {
      cancelled = true
      void started.then((watch) => watch.close())
      throw error
    }
  }

  async ping({ signal }: OperationOptions): Promise<void> {
    throwIfAborted(signal)
    if (this.#closing !== undefined) throw closed()
    if (!this.#multicast.usable) throw this.#unavailable()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const browser of this.#browsers.values()) browser.close()
    this.#browsers.clear()
    await Promise.all([...this.#advertisements].map((each) => each.close()))
    await this.#multicast.close()
  }

  #browserOf(appId: string, signal: AbortSignal | undefined): Browser {
    this.#check(appId, signal)
    const existing = this.#browsers.get(appId)
    if (existing !== undefined) return existing
    if (this.#browsers.size >= mostBrowsers) this.#forgetOne()
    const { clock, random } = this.#context
    const browser = new Browser(appId, {
      clock,
      random,
      send: (message) => this.#multicast.send(message),
      idle: () => void this.#browsers.delete(appId),
    })
    this.#browsers.set(appId, browser)
    return browser
  }

  #forgetOne(): void {
    const [oldest] = [...this.#browsers]
      .filter(([, browser]) => !browser.watched)
      .toSorted(([, a], [, b]) => a.usedAt - b.usedAt)
    if (oldest === undefined) {
      throw new ComponentError('RESOURCE_EXHAUSTED', `more than ${mostBrowsers} applications are watched`)
    }
    oldest[1].close()
    this.#browsers.delete(oldest[0])
  }

  #receive(bytes: Buffer): void {
    const message = decodeMessage(bytes)
    if (message === undefined) return
    for (const advertisement of this.#advertisements) advertisement.receive(message)
    for (const browser of this.#browsers.values()) browser.receive(message)
  }

  #repeat(): void {
    for (const advertisement of this.#advertisements) void advertisement.announce()
    for (const browser of this.#browsers.values()) void browser.ask()
  }

  #check(appId: string, signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw closed()
    throwIfAborted(signal)
    if (!isNameable(appId)) {
      throw new ComponentError(
        'INVALID_ARGUMENT',
        `the id ${JSON.stringify(appId.slice(0, 100))} cannot be a name in DNS: labels of 1 to 63 bytes, with dots between`,
      )
    }
  }

  #unavailable(): ComponentError {
    return new ComponentError(
      'UNAVAILABLE',
      `multicast cannot be used on this machine (${this.#multicast.failure}): use another name resolution, such as sqlite`,
    )
  }
}

/** As unlike others as a UUID, without the cryptography whose loading costs a process a MiB. */
function instanceName(random: Random): string {
  return Array.from({ length: 4 }, () =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
}

function closed(): ComponentError {
  return new ComponentError('CLOSED', 'the name resolver was closed')
}
