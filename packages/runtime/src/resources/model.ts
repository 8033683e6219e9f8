import type { MapTree } from './yaml.ts'

/** Where a resource was read: messages name it so that the reader finds the place. */
export interface Source {
  /** Path as given, or `(inline)` for a resource that was handed over as an object. */
  readonly file: string
  /** Line of the document's first key, counted from 1. */
  readonly line: number
}

/** One item of `spec.metadata`: a value, or where to take it from. */
export interface MetadataItem {
  readonly name: string
  /** The value as text; JSON for what was written as an object or list. */
  readonly value?: string | undefined
  readonly secretKeyRef?: { readonly name: string; readonly key: string } | undefined
  readonly envRef?: string | undefined
  readonly line: number
}

export interface ComponentResource {
  readonly kind: 'Component'
  readonly name: string
  readonly namespace: string | undefined
  /** Lower-cased, as written otherwise: aliases are resolved by the loader. Empty where it is missing: not to be loaded. */
  readonly type: string
  /** `v1`; `undefined` where the resource names none. */
  readonly version: string | undefined
  readonly ignoreErrors: boolean
  readonly initTimeoutMs: number
  readonly metadata: readonly MetadataItem[]
  /** Name of the secret store that `secretKeyRef` means. */
  readonly secretStore: string | undefined
  readonly scopes: readonly string[]
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly source: Source
}

export interface RouteRule {
  /** CEL over `event`. */
  readonly match: string
  readonly path: string
}

export interface SubscriptionResource {
  readonly kind: 'Subscription'
  readonly name: string
  readonly namespace: string | undefined
  readonly pubsubName: string
  readonly topic: string
  readonly rules: readonly RouteRule[]
  /** Path for what no rule matches; absent, such messages are dropped. */
  readonly defaultPath: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly deadLetterTopic: string | undefined
  readonly bulk: { readonly maxMessages: number; readonly maxWaitMs: number } | undefined
  readonly scopes: readonly string[]
  readonly source: Source
}

/** Somewhere that has no sidecar, to be called by a name. */
export interface HttpEndpointResource {
  readonly kind: 'HTTPEndpoint'
  readonly name: string
  readonly namespace: string | undefined
  /** With `http://` or `https://`. */
  readonly baseUrl: string
  readonly headers: readonly MetadataItem[]
  /** PEM, each a value or where to take it from. */
  readonly tls: {
    readonly rootCa: MetadataItem | undefined
    readonly certificate: MetadataItem | undefined
    readonly privateKey: MetadataItem | undefined
  }
  readonly secretStore: string | undefined
  readonly scopes: readonly string[]
  readonly source: Source
}

/** A kind that is read, checked for its name and kept as it is, until the block that it belongs to is built. */
export interface OtherResource {
  readonly kind: 'Configuration' | 'Resiliency' | 'MCPServer' | 'WorkflowAccessPolicy'
  readonly name: string
  readonly namespace: string | undefined
  readonly annotations: Readonly<Record<string, string>>
  /** `spec` as it was read, with the line of everything; read it with a `Section`. */
  readonly spec: MapTree
  readonly scopes: readonly string[]
  readonly source: Source
}

export type Resource = ComponentResource | SubscriptionResource | HttpEndpointResource | OtherResource

/** What is wrong with a resource: one message that names file, line, resource, field and the way out. */
export interface ResourceProblem {
  readonly source: Source
  readonly resource: string | undefined
  readonly field: string | undefined
  readonly message: string
  /**
   * - `debug`: nothing is wrong, but something was left out on purpose
   * - `warn`: the resource is used, something in it is not
   * - `skip`: the document is left out with an error line, as Dapr does
   * - `fatal`: the runtime does not start
   */
  readonly severity: 'debug' | 'warn' | 'skip' | 'fatal'
}
