import type {
  Clock,
  ComponentContext,
  ComponentDefinition,
  ComponentVersion,
  LiveComponent,
  Logger,
  Metadata,
  Random,
} from '@outrigger/spec'
import { silentLogger, systemClock, systemRandom } from './system.ts'

/** How a component is created without a runtime. */
export interface CreateOptions {
  /** Metadata as in YAML, secrets resolved. */
  readonly properties: Metadata
  /** Without it the version that the definition lists first. */
  readonly version?: string | undefined
  /** Name of the resource; `test` without it. */
  readonly name?: string | undefined
  /** `conformance` without it. */
  readonly appId?: string | undefined
  /** `default` without it. */
  readonly namespace?: string | undefined
  /** The system's without it. */
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  /** Silent without it. */
  readonly logger?: Logger | undefined
  /** The working folder without it. */
  readonly baseDirectory?: string | undefined
  readonly initSignal?: AbortSignal | undefined
}

/** Finds a version of a definition; without a name the first. Throws if there is none. */
export function versionOf<C extends string, I extends LiveComponent>(
  definition: ComponentDefinition<string, C, I>,
  version?: string,
): readonly [name: string, version: ComponentVersion<unknown, C, I>] {
  const name = version ?? Object.keys(definition.versions)[0]
  const found = name === undefined ? undefined : definition.versions[name]
  if (name === undefined || found === undefined) {
    const known = Object.keys(definition.versions).join(', ')
    throw new Error(`${definition.type} has no version ${name ?? 'at all'}; it has ${known}`)
  }
  return [name, found]
}

/**
 * Creates a component as a runtime does: reads the metadata with the schema of its version and calls `create`.
 * Throws an error that lists every issue when the metadata is wrong.
 */
export async function createForTest<C extends string, I extends LiveComponent>(
  definition: ComponentDefinition<string, C, I>,
  options: CreateOptions,
): Promise<I> {
  const [name, version] = versionOf(definition, options.version)
  const result = version.metadata.parse(options.properties)
  if ('issues' in result) {
    const issues = result.issues.map((issue) => `${issue.field} ${issue.message}`).join('; ')
    throw new Error(`metadata of ${definition.type}/${name}: ${issues}`)
  }
  const context: ComponentContext<unknown> = {
    name: options.name ?? 'test',
    type: definition.type,
    version: name,
    appId: options.appId ?? 'conformance',
    namespace: options.namespace ?? 'default',
    metadata: result.value,
    properties: options.properties,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    baseDirectory: options.baseDirectory ?? process.cwd(),
    initSignal: options.initSignal ?? new AbortController().signal,
  }
  return version.create(context)
}
