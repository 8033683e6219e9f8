import { noOptions, type CallOptions } from '../call.ts'
import { isRecord, required, type Json } from '../values.ts'

/** What the sidecar tells of itself. */
export interface SidecarMetadata {
  readonly appId: string
  readonly runtimeVersion: string
  readonly enabledFeatures: readonly string[]
  readonly components: readonly {
    readonly name: string
    readonly type: string
    readonly version: string
    readonly capabilities: readonly string[]
  }[]
  readonly subscriptions: readonly {
    readonly pubsubName: string
    readonly topic: string
    readonly metadata: Readonly<Record<string, string>>
    readonly rules: readonly { readonly match: string; readonly path: string }[]
    readonly deadLetterTopic: string | undefined
    /** `DECLARATIVE`, `PROGRAMMATIC` or `STREAMING`. */
    readonly type: string
  }[]
  /** Attributes, those set by `set` among them. */
  readonly extended: Readonly<Record<string, string>>
}

export interface MetadataPort {
  get(options: CallOptions): Promise<SidecarMetadata>
  set(key: string, value: string, options: CallOptions): Promise<void>
}

/** What the sidecar tells of itself, and attributes that are kept with it. */
export class MetadataClient {
  readonly #port: MetadataPort

  constructor(port: MetadataPort) {
    this.#port = port
  }

  get(options: CallOptions = noOptions): Promise<SidecarMetadata> {
    return this.#port.get(options)
  }

  async set(key: string, value: string, options: CallOptions = noOptions): Promise<void> {
    required(key, 'the name of the attribute')
    await this.#port.set(key, value, options)
  }
}

/** Reads the document of `GET /v1.0/metadata`, in which empty parts may be missing. */
export function readMetadata(document: unknown): SidecarMetadata {
  const root = isRecord(document) ? document : {}
  return {
    appId: text(root['id']),
    runtimeVersion: text(root['runtimeVersion']),
    enabledFeatures: list(root['enabledFeatures']).map(text),
    components: list(root['components'])
      .filter(isRecord)
      .map(({ name, type, version, capabilities }) => ({
        name: text(name),
        type: text(type),
        version: text(version),
        capabilities: list(capabilities).map(text),
      })),
    subscriptions: list(root['subscriptions']).filter(isRecord).map(subscription),
    extended: texts(root['extended']),
  }
}

function subscription(item: Json): SidecarMetadata['subscriptions'][number] {
  const { rules } = item
  // Dapr's document has the list one level deeper.
  const found = isRecord(rules) ? rules['rules'] : rules
  return {
    pubsubName: text(item['pubsubname']),
    topic: text(item['topic']),
    metadata: texts(item['metadata']),
    rules: list(found)
      .filter(isRecord)
      .map(({ match, path }) => ({ match: text(match), path: text(path) })),
    deadLetterTopic: text(item['deadLetterTopic']) || undefined,
    type: text(item['type']),
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function texts(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, text(each)]))
}
