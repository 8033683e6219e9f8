import { spawn, type SpawnOptions } from 'node:child_process'
import { dirname } from 'node:path'

/** The root folder of the workspace. */
export const root = dirname(dirname(dirname(import.meta.dirname)))

/** The Node.js that runs this. */
export const node = process.execPath

export interface Ended {
  readonly code: number | null
  readonly signal?: NodeJS.Signals | null
}

/** Runs a command in the root with this process's streams; hands signals on to it. */
export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
      // A terminal sends SIGINT to the child as well.
      const handler = () => void ((signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal))
      process.on(signal, handler)
      return { signal, handler }
    })
    const end = (ended: Ended) => {
      for (const { signal, handler } of handlers) process.removeListener(signal, handler)
      resolve(ended)
    }
    child.on('error', (error) => {
      process.stderr.write(`cannot run ${command}: ${error.message}\n`)
      end({ code: 1 })
    })
    child.on('exit', (code, signal) => end({ code, signal }))
  })
}

export interface Captured extends Ended {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in the root (or `cwd`) and returns what it printed. */
export function capture(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Captured> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error) =>
      resolve({ code: 1, stdout, stderr: `cannot run ${command}: ${error.message}\n` }),
    )
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** Ends this process as the other one ended. */
export function exitAs({ code, signal }: Ended): void {
  if (signal) process.kill(process.pid, signal)
  else process.exitCode = code ?? 1
}
