import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lineOf, type Check, type Finding, type Package, type Workspace } from '../workspace.ts'

interface TsConfig {
  references?: { path: string }[]
}

/** The references that a package's production dependencies in this workspace ask for. */
export function wantedReferences(workspace: Workspace, { manifest }: Package): string[] {
  const names = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  return workspace.packages
    .filter(({ folder, manifest: other }) => folder.startsWith('packages/') && other.name in names)
    .map(({ basename }) => `../${basename}`)
    .sort()
}

function read(workspace: Workspace, file: string): TsConfig {
  return JSON.parse(readFileSync(join(workspace.root, file), 'utf8')) as TsConfig
}

/** Packages under packages/ whose tsconfig.json is missing or has other references than the manifest. */
function stale(
  workspace: Workspace,
): { file: string; wanted: string[]; config: TsConfig | undefined; pack: Package }[] {
  return workspace.packages
    .filter(({ folder }) => folder.startsWith('packages/'))
    .flatMap((pack) => {
      const file = `${pack.folder}/tsconfig.json`
      const wanted = wantedReferences(workspace, pack)
      const config = existsSync(join(workspace.root, file)) ? read(workspace, file) : undefined
      const found = config?.references?.map(({ path }) => path) ?? []
      return config && wanted.join() === found.join() ? [] : [{ file, wanted, config, pack }]
    })
}

/** What a package's tsconfig.json is when it has none yet. */
export function newTsConfig(basename: string): object {
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      tsBuildInfoFile: `../../.cache/tsc/${basename}.tsbuildinfo`,
    },
    include: ['src'],
    exclude: ['src/**/*.test.ts'],
  }
}

/** Writes the references of every package; returns the files that changed. */
export function syncReferences(workspace: Workspace): string[] {
  return stale(workspace).map(({ file, wanted, config, pack }) => {
    const next = { ...(config ?? newTsConfig(pack.basename)), references: wanted.map((path) => ({ path })) }
    writeFileSync(join(workspace.root, file), `${JSON.stringify(next, null, 2)}\n`)
    return file
  })
}

export const references: Check = {
  name: 'tsconfig references',
  run(workspace) {
    return stale(workspace).map(({ file, wanted, config }): Finding => {
      const found = config?.references?.map(({ path }) => path) ?? []
      const missing = wanted.filter((path) => !found.includes(path))
      const extra = found.filter((path) => !wanted.includes(path))
      const parts = [
        ...(config ? [] : ['there is no tsconfig.json']),
        ...(missing.length > 0 ? [`lacks references to ${missing.join(', ')}`] : []),
        ...(extra.length > 0 ? [`has references to ${extra.join(', ')} without a dependency`] : []),
      ]
      return {
        file,
        line: config ? lineOf(workspace, file, '"references"') : 1,
        message: parts.join('; ') || 'its references are not sorted',
        remedy: 'npm run generate',
      }
    })
  },
}
