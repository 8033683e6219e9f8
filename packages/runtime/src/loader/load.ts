import type { ComponentContext, ComponentDefinition, Logger, Metadata, SecretStore } from '@outrigger/spec'
import type { LoadedComponent } from '../components/live.ts'
import { StartupError } from '../config/startup-error.ts'
import type { ComponentResource } from '../resources/model.ts'
import { isLive, lineOf, reasonOf, within } from './create.ts'
import { kindOf, loadDefinition, pickVersion } from './definition.ts'
import { parseMetadata, secretsOf, secretValues } from './metadata.ts'
import { plan } from './order.ts'
import { type FieldProblem, resolveProperties } from './properties.ts'
import { redactor } from './redact.ts'
import { LoadProblem } from './resolve.ts'
import type { LoadFailure, LoadOptions, LoadResult } from './types.ts'

/** Components that could not be loaded: every one of them, every reason a line. */
export class LoadError extends StartupError {
  readonly failures: readonly LoadFailure[]

  constructor(failures: readonly LoadFailure[]) {
    super(failures.flatMap(({ lines }) => lines))
    this.name = 'LoadError'
    this.failures = failures
  }
}

/**
 * Imports and creates components: secret stores first, then everything else side by side.
 * @throws LoadError with every failure, after everything that was created is closed; the signal's reason when it aborts
 */
export async function loadComponents(options: LoadOptions): Promise<LoadResult> {
  const loading = new Loading(options)
  try {
    await loading.run()
    options.signal?.throwIfAborted()
    const fatal = loading.failuresInOrder().filter(({ ignored }) => !ignored)
    if (fatal.length > 0) throw new LoadError(fatal)
  } catch (error) {
    await unloadComponents(loading.loaded, options)
    throw error
  }
  return { loaded: loading.loaded, failures: loading.failuresInOrder() }
}

/** Closes components in reverse. Never rejects: what goes wrong is logged. */
export async function unloadComponents(
  loaded: readonly LoadedComponent[],
  { logger }: { readonly logger: Logger },
): Promise<void> {
  for (const component of loaded.toReversed()) {
    try {
      await component.instance.close()
    } catch (error) {
      const redact = redactor(secretsOf(component))
      logger.error(`${labelOf(component.resource)} was not closed properly: ${redact(lineOf(error))}`)
    }
  }
}

/** A failure of one component with all its reasons. */
class Failed extends Error {
  readonly problems: readonly FieldProblem[]

  constructor(problems: readonly FieldProblem[], cause?: unknown) {
    super('', { cause })
    this.problems = problems
  }
}

class Loading {
  readonly loaded: LoadedComponent[] = []
  readonly #failures: LoadFailure[] = []
  readonly #options: LoadOptions
  readonly #stores = new Map<string, SecretStore>()
  /** Secrets of all components: what one is told may be quoted by another. */
  readonly #secrets = new Set<string>()

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** As the resources are written, however fast each one failed. */
  failuresInOrder(): readonly LoadFailure[] {
    const { resources } = this.#options
    return this.#failures.toSorted((a, b) => resources.indexOf(a.resource) - resources.indexOf(b.resource))
  }

  async run(): Promise<void> {
    const { resources, context, signal } = this.#options
    const allowed = resources.filter((resource) => !this.#isDenied(resource))
    const { stages, refused } = plan(allowed, context.defaultSecretStore)
    for (const { resource, line, problem } of refused)
      this.#fail(resource, [{ line, text: problem.message }], problem)
    for (const stage of stages) {
      const results = await Promise.all(stage.map((resource) => this.#tryLoad(resource)))
      signal?.throwIfAborted()
      for (const component of results) {
        if (component === undefined) continue
        if (component.kind === 'secretstores')
          this.#stores.set(component.resource.name, component.instance as SecretStore)
      }
    }
  }

  #isDenied(resource: ComponentResource): boolean {
    const { type, version } = resource
    const denied = this.#options.denied?.find(
      (each) => each === type || each === `${type}/${version ?? 'v1'}`,
    )
    if (denied === undefined) return false
    const text = `is denied by the Configuration (spec.components.deny has ${denied}) and is not loaded`
    this.#fail(resource, [{ line: resource.source.line, text }], undefined, true)
    return true
  }

  async #tryLoad(resource: ComponentResource): Promise<LoadedComponent | undefined> {
    try {
      const component = await this.#load(resource)
      this.loaded.push(component)
      this.#options.logger.info(
        `component loaded: ${resource.name} (${component.definition.type}/${component.version})`,
      )
      return component
    } catch (error) {
      if (this.#options.signal?.aborted === true) return undefined
      const problems =
        error instanceof Failed ? error.problems : [{ line: resource.source.line, text: reasonOf(error) }]
      this.#fail(resource, problems, error instanceof Failed ? error.cause : error)
      return undefined
    }
  }

  async #load(resource: ComponentResource): Promise<LoadedComponent> {
    const { clock, random, context, signal } = this.#options
    const kind = kindOf(resource.type)
    const definition = await loadDefinition(resource.type, this.#options)
    const { name: version, version: made } = pickVersion(definition, resource.version)
    const limits = { clock, timeoutMs: resource.initTimeoutMs, signal }
    const start = async (initSignal: AbortSignal) => {
      const store = (name: string) => this.#store(name)
      const properties = await resolveProperties(resource, { context, random, signal: initSignal, store })
      for (const secret of secretValues(made.metadata, properties)) this.#secrets.add(secret)
      if (properties.problems.length > 0) throw new Failed(properties.problems)
      this.#warn(resource, properties.warnings)
      const parsed = parseMetadata(made.metadata, properties, kind, resource.source.line)
      if ('problems' in parsed) throw new Failed(parsed.problems)
      this.#warn(resource, parsed.warnings)
      const instance = await made.create(
        this.#context(resource, version, properties.values, parsed.value, initSignal),
      )
      if (!isLive(instance))
        throw new LoadProblem('created nothing that can be closed: its package is broken')
      return { properties: properties.values, instance }
    }
    const { properties, instance } = await within(limits, start, (late) => late.instance.close())
    return { resource, kind, definition: definition as ComponentDefinition, version, properties, instance }
  }

  #context(
    resource: ComponentResource,
    version: string,
    properties: Metadata,
    metadata: unknown,
    initSignal: AbortSignal,
  ): ComponentContext<unknown> {
    const { context, logger, clock, random } = this.#options
    const { appId, namespace, baseDirectory } = context
    const { name, type } = resource
    return {
      name,
      type,
      version,
      appId,
      namespace,
      metadata,
      properties,
      logger,
      clock,
      random,
      baseDirectory,
      initSignal,
    }
  }

  #store(name: string): SecretStore | string {
    const store = this.#stores.get(name)
    if (store !== undefined) return store
    const resource = this.#options.resources.find((each) => each.name === name)
    if (resource === undefined) return 'is not among the resources: add it, or correct auth.secretStore'
    if (!resource.type.startsWith('secretstores.')) return `is a ${resource.type}: correct auth.secretStore`
    return 'was not loaded, see its own line'
  }

  #warn(resource: ComponentResource, warnings: readonly FieldProblem[]): void {
    for (const { line, text } of warnings) this.#options.logger.warn(this.#line(resource, line, text))
  }

  #fail(
    resource: ComponentResource,
    problems: readonly FieldProblem[],
    cause: unknown,
    denied = false,
  ): void {
    const ignored = denied || resource.ignoreErrors
    const lines = problems.map(({ line, text }) => this.#line(resource, line, text))
    this.#failures.push({ resource, source: resource.source, lines, ignored, cause })
    if (!ignored) return
    const note = denied ? '' : ' (spec.ignoreErrors is set: the runtime starts without it)'
    for (const line of lines) this.#options.logger.warn(line + note)
  }

  #line(resource: ComponentResource, line: number, text: string): string {
    const redact = redactor(this.#secrets)
    return `${resource.source.file}:${line}: ${labelOf(resource)}: ${redact(text)}`
  }
}

function labelOf({ name, type, version }: ComponentResource): string {
  if (type === '') return `Component "${name}"`
  return `Component "${name}" (${type}${version === undefined ? '' : `/${version}`})`
}
