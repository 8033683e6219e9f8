import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { ExecutorContext, TaskGraph } from '@nx/devkit'

/** One task of a batch: the package that it is about. */
export interface PackageTask {
  readonly id: string
  /** Folder of the package, relative to the root, with `/`. */
  readonly root: string
}

export interface TaskOutcome {
  success: boolean
  terminalOutput: string
}

/**
 * The outcome of each task from its own findings and those that belong to no package of the batch. nx shows
 * no output of a batch, so what failed is printed here, under the package's name.
 */
export function outcomes(
  tasks: readonly PackageTask[],
  findings: (root: string) => readonly string[],
): Record<string, TaskOutcome> {
  return Object.fromEntries(
    tasks.map(({ id, root }) => {
      const text = findings(root).join('\n')
      if (text !== '') process.stderr.write(`\n${id} failed:\n${text}\n`)
      return [id, { success: text === '', terminalOutput: text }]
    }),
  )
}

/** What nx hands to a batch, reduced to what the executors need. */
export function packageTasks(graph: TaskGraph, context: ExecutorContext): PackageTask[] {
  return Object.values(graph.tasks).map(({ id, target }) => {
    const project = context.projectsConfigurations.projects[target.project]
    if (!project) throw new Error(`unknown project ${target.project}`)
    return { id, root: project.root }
  })
}

/** Runs TypeScript 7 and returns its exit code and everything that it printed. */
export function tsc(
  workspaceRoot: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const compiler = join(workspaceRoot, 'node_modules/ts7/bin/tsc')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [compiler, ...args, '--pretty', 'false'], {
      cwd: workspaceRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const add = (text: string) => (output += text)
    child.stdout.setEncoding('utf8').on('data', add)
    child.stderr.setEncoding('utf8').on('data', add)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/**
 * Splits the compiler's output by the package in whose folder an error is; what names no folder of `roots`
 * is under ''. A line that starts with white space belongs to the error before it.
 */
export function errorsByPackage(
  { code, output }: { code: number; output: string },
  roots: readonly string[],
): Map<string, string[]> {
  const found = new Map<string, string[]>()
  if (code !== 0 && output.trim() === '') return new Map([['', [`the compiler ended with code ${code}`]]])
  let owner = ''
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue
    if (!/^\s/.test(line)) owner = roots.find((root) => line.startsWith(`${root}/`)) ?? ''
    found.set(owner, [...(found.get(owner) ?? []), line])
  }
  return found
}
