import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutorContext, TaskGraph } from '@nx/devkit'
import { errorsByPackage, packageTasks, tsc, type PackageTask, type TaskOutcome } from '../tasks.ts'

/** Type-checks all files of the packages as one program. */
export async function typecheckPackages(
  workspaceRoot: string,
  tasks: readonly PackageTask[],
): Promise<Record<string, TaskOutcome>> {
  const folder = join(workspaceRoot, '.cache/typecheck')
  mkdirSync(folder, { recursive: true })
  const config = join(folder, `tsconfig.${process.pid}.json`)
  const roots = tasks.map(({ root }) => root)
  writeFileSync(
    config,
    JSON.stringify({
      extends: '../../tsconfig.test.json',
      compilerOptions: { rootDir: '../..', typeRoots: ['../../node_modules/@types'] },
      include: roots.map((root) => `../../${root}/**/*.ts`),
      exclude: ['**/node_modules', '**/dist'].map((pattern) => `../../${pattern}`),
    }),
  )
  const { code, output } = await tsc(workspaceRoot, ['-p', config])
  const errors = errorsByPackage(output, roots)
  const stray = code === 0 ? [] : (errors.get('') ?? [])
  const unexplained = code !== 0 && errors.size === 0
  return Object.fromEntries(
    tasks.map(({ id, root }) => {
      // An error in a file of a package outside of this batch concerns all that may have imported it.
      const own = [...(errors.get(root) ?? []), ...stray]
      return [id, { success: own.length === 0 && !unexplained, terminalOutput: own.join('\n') }]
    }),
  )
}

export function batch(
  graph: TaskGraph,
  _options: unknown,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<Record<string, TaskOutcome>> {
  return typecheckPackages(context.root, packageTasks(graph, context))
}

export async function single(_options: unknown, context: ExecutorContext): Promise<{ success: boolean }> {
  const root = context.projectsConfigurations.projects[context.projectName ?? '']?.root ?? ''
  const outcome = (await typecheckPackages(context.root, [{ id: root, root }]))[root]
  if (outcome?.terminalOutput) process.stderr.write(`${outcome.terminalOutput}\n`)
  return { success: outcome?.success ?? false }
}
