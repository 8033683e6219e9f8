import { globSync, lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from '../run.ts'
import type { Workspace } from '../workspace.ts'

/** Packs every package that is published; returns the tarball of each name. */
export async function packAll(workspace: Workspace, folder: string): Promise<Map<string, string>> {
  const published = workspace.packages.filter(
    ({ folder: place, manifest, filled }) => place.startsWith('packages/') && !manifest.private && filled,
  )
  const filters = published.map(({ manifest }) => `--filter=${manifest.name}`)
  const args = ['--recursive', ...filters, 'pack', '--pack-destination', folder]
  const { code, stdout, stderr } = await capture('pnpm', args, { cwd: workspace.root })
  if (code !== 0) throw new Error(`pnpm pack failed:\n${stdout}${stderr}`)
  const tarballs = new Map<string, string>()
  for (const { manifest } of published) {
    const file = `${manifest.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`
    if (!readdirSync(folder).includes(file)) throw new Error(`pnpm pack wrote no ${file}`)
    tarballs.set(manifest.name, join(folder, file))
  }
  return tarballs
}

/** The named packages of this workspace and all of ours that they depend on. */
export function closure({ packages }: Workspace, names: readonly string[]): string[] {
  const found = new Set<string>()
  const visit = (name: string) => {
    const pack = packages.find(({ manifest }) => manifest.name === name)
    if (!pack || found.has(name)) return
    found.add(name)
    Object.keys({ ...pack.manifest.dependencies, ...pack.manifest.optionalDependencies }).forEach(visit)
  }
  names.forEach(visit)
  return [...found]
}

/** Installs with plain npm: ours from the tarballs, everything else from the registry. */
export async function installFromTarballs(
  workspace: Workspace,
  tarballs: ReadonlyMap<string, string>,
  names: readonly string[],
  folder: string,
): Promise<{ packages: number; megabytes: number }> {
  const files = closure(workspace, names).map((name) => {
    const file = tarballs.get(name)
    if (file === undefined) throw new Error(`there is no tarball of ${name}`)
    return file
  })
  writeFileSync(join(folder, 'package.json'), '{ "name": "application", "private": true }\n')
  const args = ['install', '--no-audit', '--no-fund', ...files]
  const { code, stdout, stderr } = await capture('npm', args, { cwd: folder })
  if (code !== 0) throw new Error(`npm install failed:\n${stdout}${stderr}`)
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>
  }
  const bytes = globSync('**/*', { cwd: join(folder, 'node_modules') }).reduce((sum, file) => {
    const stat = lstatSync(join(folder, 'node_modules', file))
    return stat.isFile() ? sum + stat.size : sum
  }, 0)
  return { packages: Object.keys(lock.packages).length, megabytes: bytes / 1e6 }
}
