import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Manifest {
  readonly name: string
  readonly version?: string
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly type?: string
  readonly engines?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly files?: readonly string[]
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly publishConfig?: { readonly access?: string; readonly exports?: Manifest['exports'] }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly nx?: { readonly tags?: readonly string[] }
}

export interface Package {
  /** Relative to the root: `packages/state-redis`. */
  readonly folder: string
  /** The last part of it: `state-redis`. */
  readonly basename: string
  readonly manifest: Manifest
  /** From the tag `layer:...`, '' without one. */
  readonly layer: string
  /** Whether there is something to build already. */
  readonly filled: boolean
}

export interface Workspace {
  readonly root: string
  readonly packages: readonly Package[]
}

export function readWorkspace(root: string): Workspace {
  const packages = ['packages', 'tools', 'examples'].flatMap((parent) =>
    list(join(root, parent))
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(root, folder, 'package.json')))
      .map((folder) => readPackage(root, folder)),
  )
  return { root, packages }
}

function readPackage(root: string, folder: string): Package {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
  const tag = manifest.nx?.tags?.find((name) => name.startsWith('layer:'))
  return {
    folder,
    basename: folder.slice(folder.indexOf('/') + 1),
    manifest,
    layer: tag?.slice('layer:'.length) ?? '',
    filled: ['src/index.ts', 'src/bin.ts'].some((file) => existsSync(join(root, folder, file))),
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : []
}

/** Something that is wrong, where, and the way out. */
export interface Finding {
  readonly file: string
  readonly line?: number
  readonly message: string
  readonly remedy: string
}

export interface Check {
  readonly name: string
  run(workspace: Workspace): Promise<readonly Finding[]> | readonly Finding[]
}

/** The line (from 1) of the first occurrence of a text in a file, 1 without one. */
export function lineOf(workspace: Workspace, file: string, text: string): number {
  const content = readFileSync(join(workspace.root, file), 'utf8')
  const index = content.indexOf(text)
  return index < 0 ? 1 : content.slice(0, index).split('\n').length
}
