import type { ComponentDefinition, LiveComponent, Metadata } from '@outrigger/spec'
import { createForTest, versionOf, type CreateOptions } from './create.ts'
import { systemClock } from './system.ts'

/** What every suite can be told. */
export interface SuiteOptions extends Omit<CreateOptions, 'properties' | 'initSignal'> {
  /** Metadata for fresh resources; called once, before the first test. */
  readonly properties: () => Metadata | Promise<Metadata>
  /** What the instance must declare with these properties; everything that the definition lists without it. */
  readonly capabilities?: readonly string[] | undefined
  /** Called before `properties`: starts a server, makes a folder. */
  readonly setup?: (() => void | Promise<void>) | undefined
  /** Called after every instance is closed. */
  readonly teardown?: (() => void | Promise<void>) | undefined
  /** How long to wait for what must happen, in milliseconds; 10 seconds without it. */
  readonly deadlineMs?: number | undefined
}

/** What differs between two instances of one test. */
export interface InstanceOptions {
  readonly appId?: string | undefined
  readonly properties?: Metadata | undefined
}

type Instance = LiveComponent & { readonly capabilities: ReadonlySet<string> }

/** What an instance must declare. */
export function expectedCapabilities<C extends string>(
  definition: ComponentDefinition<string, C>,
  options: SuiteOptions,
): ReadonlySet<string> {
  return new Set(options.capabilities ?? versionOf(definition, options.version)[1].capabilities)
}

/** A component under test: one instance that the tests share, and as many others as they ask for. */
export class Fixture<C extends string, I extends Instance, O extends SuiteOptions> {
  readonly definition: ComponentDefinition<string, C, I>
  readonly options: O
  readonly properties: Metadata
  /** The shared instance. Cases that close one create their own. */
  readonly instance: I
  readonly declared: ReadonlySet<C>
  readonly deadlineMs: number
  readonly #created: I[] = []
  readonly #run = crypto.randomUUID().slice(0, 8)
  #names = 0

  private constructor(
    definition: ComponentDefinition<string, C, I>,
    options: O,
    properties: Metadata,
    instance: I,
  ) {
    this.definition = definition
    this.options = options
    this.properties = properties
    this.instance = instance
    this.declared = new Set(versionOf(definition, options.version)[1].capabilities)
    this.deadlineMs = options.deadlineMs ?? 10_000
  }

  static async open<C extends string, I extends Instance, O extends SuiteOptions>(
    definition: ComponentDefinition<string, C, I>,
    options: O,
  ): Promise<Fixture<C, I, O>> {
    try {
      await options.setup?.()
      const properties = await options.properties()
      const instance = await createForTest(definition, { ...options, properties })
      return new Fixture(definition, options, properties, instance)
    } catch (error) {
      await options.teardown?.()
      throw error
    }
  }

  /** Creates another instance on the same resources; it is closed when the case is over. */
  async create(overrides: InstanceOptions = {}): Promise<I> {
    const instance = await createForTest(this.definition, {
      ...this.options,
      appId: overrides.appId ?? this.options.appId,
      properties: { ...this.properties, ...overrides.properties },
    })
    this.#created.push(instance)
    return instance
  }

  /** A name that no other test uses. */
  unique(name = 'k'): string {
    return `${name}-${this.#run}-${++this.#names}`
  }

  /** Looks again and again until `condition` holds; fails when the deadline is over. */
  async until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    deadlineMs = this.deadlineMs,
  ): Promise<void> {
    const end = systemClock.monotonic() + deadlineMs
    for (let pauseMs = 1; ; pauseMs = Math.min(50, pauseMs * 2)) {
      if (await condition()) return
      if (systemClock.monotonic() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`)
      await this.pause(pauseMs)
    }
  }

  /** Awaits `promise`; fails when the deadline is over. */
  async within<T>(what: string, promise: Promise<T>, deadlineMs = this.deadlineMs): Promise<T> {
    const late = Symbol('late')
    let cancel: (() => void) | undefined
    const timeout = new Promise<typeof late>((resolve) => {
      const timer = setTimeout(() => resolve(late), deadlineMs)
      cancel = () => clearTimeout(timer)
    })
    try {
      const outcome = await Promise.race([promise, timeout])
      if (outcome === late) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`)
      return outcome
    } finally {
      cancel?.()
    }
  }

  /** Lets real time go by. What must happen is awaited with `until`; this is for what must not. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  }

  /** Closes what a case created. */
  async release(): Promise<void> {
    await this.within(
      'instances to close',
      Promise.all(this.#created.splice(0).map((instance) => instance.close())),
    )
  }

  async close(): Promise<void> {
    try {
      await this.release()
      await this.instance.close()
    } finally {
      await this.options.teardown?.()
    }
  }
}
