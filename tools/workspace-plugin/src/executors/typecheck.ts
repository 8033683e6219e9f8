import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutorContext, TaskGraph } from '@nx/devkit'
import { errorsByPackage, outcomes, packageTasks, tsc, type PackageTask, type TaskOutcome } from '../tasks.ts'

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
  const errors = errorsByPackage(await tsc(workspaceRoot, ['-p', config]), roots)
  rmSync(config)
  // An error in a package outside of this batch concerns all that may import it.
  const stray = errors.get('') ?? []
  return outcomes(tasks, (root) => [...(errors.get(root) ?? []), ...stray])
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
  return {
    success: Object.values(await typecheckPackages(context.root, [{ id: root, root }]))[0]?.success === true,
  }
}
