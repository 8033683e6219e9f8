import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from '../run.ts'
import type { Check, Finding, Workspace } from '../workspace.ts'

/** The packages that the pending changesets name. */
export function namedPackages(root: string): Set<string> {
  const folder = join(root, '.changeset')
  const names = new Set<string>()
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (!file.endsWith('.md') || file === 'README.md') continue
    const front = /^---\n([\s\S]*?)\n---/.exec(readFileSync(join(folder, file), 'utf8'))?.[1] ?? ''
    for (const match of front.matchAll(/^["']?(@?[^"':]+)["']?:\s*(major|minor|patch)\s*$/gm))
      names.add(match[1] as string)
  }
  return names
}

/** The changed files since the branch left `main`; undefined where there is nothing to compare with. */
async function changedFiles(root: string): Promise<string[] | undefined> {
  const git = (...args: string[]) => capture('git', args, { cwd: root })
  for (const base of ['origin/main', 'main']) {
    const merge = await git('merge-base', 'HEAD', base)
    const head = await git('rev-parse', 'HEAD')
    if (merge.code !== 0 || merge.stdout === head.stdout) continue
    const diff = await git('diff', '--name-only', merge.stdout.trim())
    if (diff.code === 0) return diff.stdout.split('\n').filter(Boolean)
  }
  return undefined
}

const unpublished = /(\.test\.ts|\/test\/.*|\/bench\/.*|tsconfig\.json|CHANGELOG\.md|README\.md)$/

/** Published packages that changed without a changeset. */
export function missingChangesets(workspace: Workspace, changed: readonly string[]): Finding[] {
  const named = namedPackages(workspace.root)
  return workspace.packages
    .filter(
      ({ folder, manifest }) =>
        folder.startsWith('packages/') && !manifest.private && !named.has(manifest.name),
    )
    .flatMap(({ folder, manifest }) => {
      const file = changed.find((name) => name.startsWith(`${folder}/`) && !unpublished.test(name))
      if (file === undefined) return []
      return [{ file, message: `${manifest.name} changed without a changeset`, remedy: 'npx changeset' }]
    })
}

/** Every change of a published package says what it means for those who use it. */
export const changesets: Check = {
  name: 'changesets',
  async run(workspace) {
    const known = new Set(workspace.packages.map(({ manifest }) => manifest.name))
    const strangers = [...namedPackages(workspace.root)].filter((name) => !known.has(name))
    const changed = await changedFiles(workspace.root)
    return [
      ...strangers.map((name) => ({
        file: '.changeset',
        message: `a changeset names ${name}, which is no package`,
        remedy: 'correct the name',
      })),
      ...(changed ? missingChangesets(workspace, changed) : []),
    ]
  },
}
