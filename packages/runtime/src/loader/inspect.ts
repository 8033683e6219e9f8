import type { ComponentDefinition } from '@outrigger/spec'
import { StartupError } from '../config/startup-error.ts'
import type { ComponentResource } from '../resources/model.ts'
import { readEveryResource } from '../resources/read.ts'
import { loadDefinition, missingType } from './definition.ts'
import { resolveComponent } from './resolve.ts'
import type { ResolveOptions } from './types.ts'

/** Where the package of a component type is; `undefined` when it is not installed. Imports nothing. */
export async function findComponent(
  type: string,
  options: ResolveOptions,
): Promise<{ readonly packageName: string; readonly version: string | undefined } | undefined> {
  try {
    const found = await resolveComponent(type, options)
    return 'packageName' in found ? { packageName: found.packageName, version: found.version } : undefined
  } catch {
    return undefined
  }
}

/** The definition of a component type. @throws Error that says what is wrong and what helps */
export function describeComponent(type: string, options: ResolveOptions): Promise<ComponentDefinition> {
  return loadDefinition(type.toLowerCase(), options)
}

/**
 * The component types that resource files name, for whatever application, without repetition.
 * @throws StartupError with every folder, file and document that cannot be read
 */
export async function componentTypes(paths: readonly string[]): Promise<readonly string[]> {
  const { resources, problems } = await readEveryResource({ paths })
  const unreadable = problems.filter(({ severity }) => severity === 'skip' || severity === 'fatal')
  if (unreadable.length > 0) throw new StartupError(unreadable.map(({ message }) => message))
  const components = resources.filter(
    (resource): resource is ComponentResource => resource.kind === 'Component',
  )
  const nameless = components.filter(({ type }) => type === '')
  if (nameless.length > 0) {
    throw new StartupError(
      nameless.map(
        ({ name, source }) => `${source.file}:${source.line}: Component "${name}": ${missingType}`,
      ),
    )
  }
  return [...new Set(components.map(({ type }) => type))]
}
