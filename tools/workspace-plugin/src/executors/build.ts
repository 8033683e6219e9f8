import { chmodSync, existsSync, globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ExecutorContext, TaskGraph } from '@nx/devkit'
import { errorsByPackage, outcomes, packageTasks, tsc, type PackageTask, type TaskOutcome } from '../tasks.ts'

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** `src/index.ts`, and the sources of whatever the manifest exports or names as an executable. */
export function entries(folder: string): string[] {
  const manifest = readManifest(folder)
  const built = [
    './dist/index.js',
    ...Object.values(manifest.bin ?? {}),
    ...Object.values(manifest.exports ?? {}).map((to) =>
      typeof to === 'string' ? to : (to['default'] ?? ''),
    ),
  ]
  const sources = built
    .filter((file) => file.startsWith('./dist/') && file.endsWith('.js'))
    .map((file) => file.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
  return [...new Set(sources)].filter((file) => existsSync(join(folder, file)))
}

async function bundle(workspaceRoot: string, root: string): Promise<string> {
  const { build } = await import('tsup')
  const folder = join(workspaceRoot, root)
  const began = Date.now()
  const sources = entries(folder)
  const dist = join(folder, 'dist')
  try {
    if (sources.length > 0) {
      await build({
        config: false,
        entry: Object.fromEntries(sources.map((file) => [outputName(file), join(folder, file)])),
        outDir: dist,
        format: 'esm',
        target: 'node22.18',
        platform: 'node',
        // Only the package's own files are bundled; every other package stays an import.
        external: [/^[^./]/],
        removeNodeProtocol: false,
        splitting: true,
        minify: false,
        dts: false,
        sourcemap: false,
        clean: false,
        silent: true,
        tsconfig: join(folder, 'tsconfig.json'),
      })
    }
  } catch (error) {
    const { errors } = error as {
      errors?: { text: string; location?: { file: string; line: number } | null }[]
    }
    if (!errors) return error instanceof Error ? (error.stack ?? error.message) : String(error)
    return errors
      .map(({ text, location }) => `${location?.file ?? root}:${location?.line ?? 1}: ${text}`)
      .join('\n')
  }
  makeExecutable(folder)
  // What an earlier build left: chunks that were not written again, declarations without a source.
  for (const file of globSync('**/*', { cwd: dist })) {
    const stale = file.endsWith('.js')
      ? statSync(join(dist, file)).mtimeMs < began - 1_000
      : file.endsWith('.d.ts') && !existsSync(join(folder, 'src', file.replace(/\.d\.ts$/, '.ts')))
    if (stale) rmSync(join(dist, file))
  }
  return ''
}

/** Every command of the manifest begins with a shebang and may be executed, whatever its source begins with. */
function makeExecutable(folder: string): void {
  for (const target of Object.values(readManifest(folder).bin ?? {})) {
    const file = join(folder, target)
    if (!existsSync(file)) continue
    const text = readFileSync(file, 'utf8')
    if (!text.startsWith('#!')) writeFileSync(file, `#!/usr/bin/env node\n${text}`)
    chmodSync(file, 0o755)
  }
}

/** `src/a/b.ts` -> `a/b`, the name of what is built from it. */
function outputName(source: string): string {
  return source.replace(/^src\//, '').replace(/\.ts$/, '')
}

/** Bundles the packages in one process and writes their declarations with one compiler. */
export async function buildPackages(
  workspaceRoot: string,
  tasks: readonly PackageTask[],
): Promise<Record<string, TaskOutcome>> {
  const filled = tasks.filter(({ root }) => entries(join(workspaceRoot, root)).length > 0)
  const roots = filled.map(({ root }) => root)
  for (const root of roots)
    rmSync(join(workspaceRoot, '.cache/tsc', `${basename(root)}.tsbuildinfo`), { force: true })
  const declarations =
    roots.length === 0
      ? { code: 0, output: '' }
      : tsc(workspaceRoot, ['-b', '--emitDeclarationOnly', ...roots])
  const bundles = new Map<string, string>()
  for (const root of roots) bundles.set(root, await bundle(workspaceRoot, root))
  const errors = errorsByPackage(await declarations, roots)
  // An error in a package outside of this batch concerns all that may import it.
  const stray = errors.get('') ?? []
  return outcomes(tasks, (root) =>
    roots.includes(root)
      ? [bundles.get(root) ?? '', ...(errors.get(root) ?? []), ...stray].filter(Boolean)
      : [],
  )
}

export function batch(
  graph: TaskGraph,
  _options: unknown,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<Record<string, TaskOutcome>> {
  return buildPackages(context.root, packageTasks(graph, context))
}

export async function single(_options: unknown, context: ExecutorContext): Promise<{ success: boolean }> {
  const root = context.projectsConfigurations.projects[context.projectName ?? '']?.root ?? ''
  return {
    success: Object.values(await buildPackages(context.root, [{ id: root, root }]))[0]?.success === true,
  }
}
