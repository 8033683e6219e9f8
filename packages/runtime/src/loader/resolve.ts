import type { ComponentDefinition } from '@outrigger/spec'
import { readFile, stat } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { canonicalType, isComponentType } from './names.ts'
import type { ResolveOptions } from './types.ts'

/** Where the definition of a component type comes from. */
export type Resolution =
  | { readonly definition: ComponentDefinition }
  | { readonly packageName: string; readonly version: string | undefined; readonly file: string }

/** Why a component cannot be loaded, without place and name, which the loader adds. Never holds a secret. */
export class LoadProblem extends Error {}

const defaultScopes: readonly string[] = ['@outrigger']
const ownFolder = dirname(fileURLToPath(import.meta.url))
const maxManifestBytes = 2 ** 20

/**
 * Sources run as they are during development; then packages of the workspace do so as well. Installed packages do
 * not have that condition.
 */
const conditions: ReadonlySet<string> = new Set([
  ...(import.meta.url.endsWith('.ts') ? ['@outrigger/source'] : []),
  'node',
  'import',
  'module-sync',
  'default',
])

/**
 * Finds the definition or the package of a type: definitions at hand, then the map of the Configuration, then each
 * scope; each package is looked for from every folder in order. Imports nothing.
 * @throws LoadProblem with the command that installs the package
 */
export async function resolveComponent(type: string, options: ResolveOptions): Promise<Resolution> {
  if (!isComponentType(type)) {
    throw new LoadProblem(`spec.type "${shorten(type)}" is no component type: write one such as state.redis`)
  }
  const canonical = canonicalType(type)
  const given = options.definitions?.find((definition) => isTypeOf(definition, type, canonical))
  if (given !== undefined) return { definition: given }
  const mapped = options.modules?.[type] ?? options.modules?.[canonical]
  const name = canonical.replaceAll('.', '-')
  const packages =
    mapped !== undefined ? [mapped] : (options.scopes ?? defaultScopes).map((scope) => `${scope}/${name}`)
  const folders = [...new Set([...options.searchFrom.map((folder) => resolve(folder)), ownFolder])]
  for (const packageName of packages) {
    for (const folder of folders) {
      const manifest = findManifest(packageName, folder)
      if (manifest !== undefined) return entryOf(packageName, manifest)
    }
  }
  const others = packages.length > 1 ? ` (nor ${packages.slice(1).join(', ')})` : ''
  throw new LoadProblem(
    `spec.type ${type} needs the package ${packages[0]}, which is not installed${others}: ` +
      `npm install ${packages[0]} (looked for from ${folders.slice(0, -1).concat('the runtime itself').join(', ')})`,
  )
}

/** Whether a definition is the one that is meant by a type, directly or under another of its names. */
export function isTypeOf(
  definition: ComponentDefinition,
  type: string,
  canonical = canonicalType(type),
): boolean {
  return [definition.type, ...(definition.aliases ?? [])].some((name) => name === type || name === canonical)
}

function findManifest(packageName: string, folder: string): string | undefined {
  try {
    return findPackageJSON(packageName, pathToFileURL(folder + sep + 'x.js'))
  } catch {
    return undefined
  }
}

async function entryOf(packageName: string, manifestFile: string): Promise<Resolution> {
  const fail = (text: string) =>
    new LoadProblem(`the package ${packageName} (${dirname(manifestFile)}) ${text}`)
  let manifest: Record<string, unknown>
  try {
    if ((await stat(manifestFile)).size > maxManifestBytes)
      throw fail('has a package.json of more than 1 MiB')
    manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as Record<string, unknown>
  } catch (error) {
    if (error instanceof LoadProblem) throw error
    throw fail('has a package.json that cannot be read: install it again')
  }
  const { exports, main, version } = manifest
  const target = exports === undefined ? (typeof main === 'string' ? main : 'index.js') : rootTarget(exports)
  if (target === undefined) throw fail('exports nothing under ".": it is no component package')
  const folder = dirname(manifestFile)
  const file = join(folder, target)
  if (!file.startsWith(folder + sep)) throw fail(`exports "${target}", which is outside of it`)
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true) throw fail(`has no ${target}: build it, or install it again`)
  return { packageName, version: typeof version === 'string' ? version : undefined, file }
}

/** The target of `.` as Node.js decides it: conditions in the order in which the package lists them. */
function rootTarget(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (Array.isArray(exports)) {
    for (const item of exports) {
      const target = rootTarget(item)
      if (target !== undefined) return target
    }
    return undefined
  }
  if (typeof exports !== 'object' || exports === null) return undefined
  for (const [key, value] of Object.entries(exports)) {
    if (key === '.' || conditions.has(key)) {
      const target = rootTarget(value)
      if (target !== undefined) return target
    }
  }
  return undefined
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}
