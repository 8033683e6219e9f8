import type { Random, Secret, SecretStore } from '@outrigger/spec'
import type { ComponentResource, MetadataItem } from '../resources/model.ts'
import { LoadProblem } from './resolve.ts'
import type { LoadContext } from './types.ts'

export interface PropertiesOptions {
  readonly context: LoadContext
  readonly random: Random
  readonly signal: AbortSignal
  /** A loaded store by name, or why there is none. */
  readonly store: (name: string) => SecretStore | string
}

/** One thing that is wrong, with the line of its item. */
export interface FieldProblem {
  readonly line: number
  readonly text: string
}

export interface Properties {
  readonly values: Readonly<Record<string, string>>
  /** Names whose values came out of a secret store or the environment: these are never shown. */
  readonly referred: ReadonlySet<string>
  /** Line of each name. */
  readonly lines: ReadonlyMap<string, number>
  readonly problems: readonly FieldProblem[]
  readonly warnings: readonly FieldProblem[]
}

/** Takes the values of `spec.metadata` from where they are: written, in a secret store, in the environment; then fills in templates. */
export async function resolveProperties(
  resource: ComponentResource,
  options: PropertiesOptions,
): Promise<Properties> {
  const problems: FieldProblem[] = []
  const warnings: FieldProblem[] = []
  const values = new Map<string, string>()
  const lines = new Map<string, number>()
  const referred = new Set<string>()
  const secrets = new SecretReader(resource, options)
  for (const item of resource.metadata) {
    const { name, line } = item
    if (values.has(name))
      warnings.push({ line, text: `spec.metadata "${name}" is there twice: the last one counts` })
    lines.set(name, line)
    try {
      const raw = await valueOf(item, secrets, options.context, warnings)
      if (item.secretKeyRef !== undefined || (item.envRef !== undefined && !item.value)) referred.add(name)
      values.set(name, fill(raw, name, options))
    } catch (error) {
      if (!(error instanceof LoadProblem)) throw error
      problems.push({ line, text: error.message })
    }
  }
  if (resource.type.startsWith('pubsub.')) addConsumerId(values, options.context.appId)
  if (options.context.strictSandbox === true && wasmTypes.has(resource.type)) beStrict(values)
  return { values: Object.fromEntries(values), referred, lines, problems, warnings }
}

async function valueOf(
  item: MetadataItem,
  secrets: SecretReader,
  context: LoadContext,
  warnings: FieldProblem[],
): Promise<string> {
  if (item.secretKeyRef !== undefined)
    return secrets.read(item.name, item.secretKeyRef.name, item.secretKeyRef.key)
  if (item.value || item.envRef === undefined) return item.value ?? ''
  if (!isEnvAllowed(item.envRef, context.env['DAPR_ENV_KEYS'])) {
    throw new LoadProblem(
      `spec.metadata "${item.name}" has an envRef to ${item.envRef}, which components may not read: use a variable without the prefix DAPR_ that DAPR_ENV_KEYS, if set, lists`,
    )
  }
  const value = context.env[item.envRef]
  if (value === undefined) {
    warnings.push({
      line: item.line,
      text: `spec.metadata "${item.name}" is empty, as the variable ${item.envRef} is not set`,
    })
  }
  return value ?? ''
}

/** Secrets of the sidecar itself stay out of reach of whoever writes resources. */
function isEnvAllowed(name: string, listed: string | undefined): boolean {
  const upper = name.toUpperCase()
  if (upper === 'APP_API_TOKEN' || upper.startsWith('DAPR_') || /\s/.test(name)) return false
  return listed === undefined || listed === '' || listed.split(' ').includes(upper)
}

class SecretReader {
  readonly #resource: ComponentResource
  readonly #options: PropertiesOptions
  readonly #cache = new Map<string, Promise<Secret | undefined>>()

  constructor(resource: ComponentResource, options: PropertiesOptions) {
    this.#resource = resource
    this.#options = options
  }

  async read(field: string, name: string, key: string): Promise<string> {
    const storeName = this.#resource.secretStore ?? this.#options.context.defaultSecretStore ?? ''
    const subject = `spec.metadata "${field}" needs the secret "${name}"`
    if (storeName === '')
      throw new LoadProblem(`${subject}, and auth.secretStore does not say which secret store has it`)
    const store = this.#options.store(storeName)
    if (typeof store === 'string')
      throw new LoadProblem(`${subject}, and the secret store "${storeName}" ${store}`)
    let secret: Secret | undefined
    try {
      secret = await this.#get(store, name)
    } catch (error) {
      if (this.#options.signal.aborted) throw error
      // What a store says may quote what it holds: only its code is shown.
      const { code } = error as { code?: unknown }
      const reason = typeof code === 'string' ? ` (${code})` : ''
      throw new LoadProblem(`${subject}, and the secret store "${storeName}" fails to give it${reason}`, {
        cause: error,
      })
    }
    if (secret === undefined || Object.keys(secret).length === 0) {
      throw new LoadProblem(
        `${subject}, which the secret store "${storeName}" does not have: add it there, or correct secretKeyRef.name`,
      )
    }
    const value = Object.hasOwn(secret, key) ? secret[key] : undefined
    if (value !== undefined) return value
    throw new LoadProblem(
      `${subject}, which has no key "${key}" in the secret store "${storeName}": correct secretKeyRef.key (it has ${Object.keys(secret).slice(0, 20).join(', ')})`,
    )
  }

  #get(store: SecretStore, name: string): Promise<Secret | undefined> {
    let pending = this.#cache.get(name)
    if (pending === undefined) {
      const { namespace } = this.#resource
      const metadata: Readonly<Record<string, string>> = namespace === undefined ? {} : { namespace }
      pending = store.get({ name, metadata }, { signal: this.#options.signal })
      this.#cache.set(name, pending)
    }
    return pending
  }
}

/** `{namespace}` stands for namespace and application, as in Dapr. */
function fill(text: string, name: string, { context, random }: PropertiesOptions): string {
  if (!text.includes('{')) return text
  if (text.includes('{podName}') && context.podName === undefined) {
    throw new LoadProblem(
      `spec.metadata "${name}" has {podName}, and the variable POD_NAME is not set: set it, or write the name`,
    )
  }
  return text
    .replaceAll('{uuid}', () => random.uuid())
    .replaceAll('{podName}', () => context.podName ?? '')
    .replaceAll('{namespace}', () => `${context.namespace}.${context.appId}`)
    .replaceAll('{appID}', () => context.appId)
}

/** Instances of one application share their messages unless told otherwise. */
function addConsumerId(values: Map<string, string>, appId: string): void {
  const name = [...values.keys()].find((key) => key.toLowerCase() === 'consumerid')
  const given = name === undefined ? '' : (values.get(name) ?? '').trim()
  if (given === '') values.set(name ?? 'consumerID', appId)
}

const wasmTypes: ReadonlySet<string> = new Set(['middleware.http.wasm', 'bindings.wasm'])

/** The Configuration stands above what a component says. */
function beStrict(values: Map<string, string>): void {
  const name = [...values.keys()].find((key) => key.toLowerCase() === 'strictsandbox')
  values.set(name ?? 'strictSandbox', 'true')
}
