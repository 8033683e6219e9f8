import {
  ComponentError,
  type ConfigurationCapability,
  type ConfigurationChange,
  type ConfigurationGetRequest,
  type ConfigurationItem,
  type ConfigurationItems,
  type ConfigurationStore,
} from '@outrigger/spec'

export interface Watching {
  readonly request: ConfigurationGetRequest
  readonly onChange: ConfigurationChange
  /** Ends the subscription from the store's side; `undefined` as when the store closes. */
  end(error: Error | undefined): void
  closed: boolean
}

/** A configuration store in memory that tells what a test says. */
export class FakeConfiguration implements ConfigurationStore {
  readonly capabilities: ReadonlySet<ConfigurationCapability> = new Set(['subscribe'])
  readonly items = new Map<string, ConfigurationItem>()
  readonly requests: ConfigurationGetRequest[] = []
  readonly watching: Watching[] = []
  attempts = 0
  /** Subscribe fails so many times. */
  failSubscribe = 0
  failGet: Error | undefined

  async get(request: ConfigurationGetRequest): Promise<ConfigurationItems> {
    this.requests.push(request)
    if (this.failGet !== undefined) throw this.failGet
    const keys = request.keys.length > 0 ? request.keys : [...this.items.keys()]
    return Object.fromEntries(
      keys.flatMap((key) => (this.items.has(key) ? [[key, this.items.get(key)!]] : [])),
    )
  }

  async subscribe(request: ConfigurationGetRequest, onChange: ConfigurationChange) {
    this.attempts++
    if (this.failSubscribe-- > 0) throw new ComponentError('UNAVAILABLE', 'the store is away')
    const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
    let telling: Promise<void> = Promise.resolve()
    const entry: Watching = {
      request,
      onChange: (changes) => {
        const told = onChange(changes)
        telling = Promise.all([telling, told]).then(() => undefined)
        return told
      },
      closed: false,
      end: resolve,
    }
    this.watching.push(entry)
    return {
      ended,
      close: async () => {
        entry.closed = true
        await telling
        resolve(undefined)
      },
    }
  }

  async close(): Promise<void> {
    for (const entry of this.watching) entry.end(undefined)
  }
}
