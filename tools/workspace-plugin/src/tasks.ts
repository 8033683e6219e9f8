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

/** What nx hands to a batch, reduced to what the executors need. */
export function packageTasks(graph: TaskGraph, context: ExecutorContext): PackageTask[] {
  return Object.values(graph.tasks).map(({ id, target }) => {
    const project = context.projectsConfigurations.projects[target.project]
    if (!project) throw new Error(`unknown project ${target.project}`)
    return { id, root: project.root }
  })
}

/** Runs TypeScript 7 and returns its exit code and everything that it printed. */
export function tsc(workspaceRoot: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const compiler = join(workspaceRoot, 'node_modules/ts7/bin/tsc')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [compiler, '--pretty', 'false', ...args], {
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
export function errorsByPackage(output: string, roots: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let owner = ''
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue
    if (!/^\s/.test(line)) owner = roots.find((root) => line.startsWith(`${root}/`)) ?? ''
    found.set(owner, [...(found.get(owner) ?? []), line])
  }
  return found
}
