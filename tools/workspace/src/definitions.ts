import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Package, Workspace } from './workspace.ts'

/** What the tools read of a component's definition; the full type is in packages/spec. */
export interface Definition {
  readonly contract: string
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly aliases?: readonly string[]
  readonly versions: Readonly<Record<string, DefinitionVersion>>
  readonly deviations?: readonly { readonly capability: string; readonly reason: string }[]
}

export interface DefinitionVersion {
  readonly metadata: { readonly fields: readonly Field[]; readonly openPrefixes: readonly string[] }
  readonly capabilities: readonly string[]
}

export interface Field {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: string
  readonly description: string
  readonly required: boolean
  readonly default?: string
  readonly example?: string
  readonly values?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly sensitive: boolean
  readonly deprecated?: string
}

/** The kind of a definition: `state` of `state/1`. */
export function kindOf({ contract }: Definition): string {
  return contract.split('/')[0] ?? contract
}

/** Loads the default export of a component package from its source. */
export async function readDefinition(
  { root }: Workspace,
  { folder }: Package,
): Promise<{ definition: Definition } | { problem: string }> {
  const file = join(root, folder, 'src/index.ts')
  let loaded: { default?: Partial<Definition> }
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded
  } catch (error) {
    return { problem: `cannot be loaded: ${error instanceof Error ? error.message : error}` }
  }
  const definition = loaded.default
  if (
    typeof definition?.type !== 'string' ||
    typeof definition.contract !== 'string' ||
    !definition.versions
  ) {
    return { problem: 'does not export a definition as its default' }
  }
  return { definition: definition as Definition }
}
