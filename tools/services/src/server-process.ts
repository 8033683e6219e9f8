import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

// Reads one line. When its standard input ends without one, the process that started the server is gone,
// however it went, and the server goes as well.
const guard = 'read -r line || { kill -9 "$1"; [ -n "$2" ] && rm -rf "$2"; }'

/** A server that dies with this process. */
export interface ServerProcess {
  readonly pid: number
  readonly running: boolean
  /** Resolves with a description when the process has ended. */
  readonly ended: Promise<string>
  signal(signal: NodeJS.Signals): void
}

export function spawnServer(options: {
  binary: string
  args: string[]
  env: NodeJS.ProcessEnv
  logFile: string
  /** Removed when this process dies first. */
  folder: string
}): ServerProcess {
  const log = openSync(options.logFile, 'a')
  let child: ChildProcess
  try {
    child = spawn(options.binary, options.args, {
      cwd: options.folder,
      env: options.env,
      stdio: ['ignore', log, log],
      detached: true,
    })
  } finally {
    closeSync(log)
  }
  const { pid } = child
  let running = pid !== undefined
  const watcher = pid === undefined ? undefined : watch(pid, options.folder)
  const ended = new Promise<string>((resolve) => {
    const end = (text: string) => {
      running = false
      watcher?.stdin?.end('done\n')
      resolve(text)
    }
    child.on('error', (error) => end(error.message))
    child.on('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
  child.unref()
  return {
    pid: pid ?? -1,
    get running() {
      return running
    },
    ended,
    signal(signal) {
      child.ref()
      if (running) child.kill(signal)
    },
  }
}

function watch(pid: number, folder: string): ChildProcess {
  const watcher = spawn('/bin/sh', ['-c', guard, 'guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.on('error', () => undefined)
  watcher.stdin?.on('error', () => undefined)
  watcher.unref()
  ;(watcher.stdin as { unref?: () => void } | null)?.unref?.()
  return watcher
}
