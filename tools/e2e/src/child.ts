import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { waitFor } from '@outrigger/testkit'

export interface ChildOptions {
  readonly cwd?: string | undefined
  /** Added to the environment of the tests; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Modules that the child imports before its program. */
  readonly imports?: readonly string[] | undefined
  readonly nodeOptions?: readonly string[] | undefined
  /** What goes before the command: `nsenter ...` for a network of its own. */
  readonly enter?: readonly string[] | undefined
}

const lifeline = new URL('./lifeline.js', import.meta.url).href
/** Only ends what hangs. */
const deadlineMs = 30_000

/** A Node.js program in a process of its own, which ends when the tests do. */
export class Child {
  /** Every line of stdout and stderr so far. */
  readonly lines: string[] = []
  readonly stdout: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<number>

  constructor(file: string, args: readonly string[], options: ChildOptions = {}) {
    const argv = [
      '--conditions=@outrigger/source',
      ...[lifeline, ...(options.imports ?? [])].map((url) => `--import=${url}`),
      ...(options.nodeOptions ?? []),
      file,
      ...args,
    ]
    const [program, ...before] = [...(options.enter ?? []), process.execPath]
    this.#child = spawn(program!, [...before, ...argv], {
      cwd: options.cwd,
      env: childEnv(options.env),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    const { stdout, stderr } = this.#child
    createInterface({ input: stdout! }).on('line', (line) => {
      this.lines.push(line)
      this.stdout.push(line)
    })
    createInterface({ input: stderr! }).on('line', (line) => this.lines.push(line))
    this.#child.stdio[3]?.on('error', () => {})
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get output(): string {
    return this.lines.join('\n')
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The exit code, when the process has ended and all it wrote is in `lines`. */
  ended(): Promise<number> {
    return this.#ended
  }

  /** The first line that matches, now or later. */
  line(pattern: RegExp | string): Promise<string> {
    const matches = (line: string): boolean =>
      typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line)
    return this.waitUntil(() => this.lines.find(matches), `a line with ${pattern}`) as Promise<string>
  }

  /** Waits for something that this process does; its end, or the deadline, throws with what it wrote. */
  async waitUntil<T>(condition: () => T | Promise<T>, what: string): Promise<T> {
    try {
      const outcome = await waitFor(
        async () => {
          const found = await condition()
          if (found) return { value: found }
          return this.running ? undefined : { value: undefined }
        },
        { what, deadlineMs },
      )
      if (outcome?.value === undefined) throw new Error(`${what}: the process has ended`)
      return outcome.value
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.lines.slice(-30).join('\n')}`, { cause: error })
    }
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (this.running) this.#child.kill(signal)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs)
    const code = await this.#ended
    clearTimeout(timer)
    return code
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

/** The environment of the tests without what would change a sidecar. */
export function childEnv(extra: ChildOptions['env'] = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { E2E_PARENT: String(process.pid) }
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(?:DAPR_|APP_|NODE_|VITEST|NAMESPACE$|POD_NAME$)/.test(name)) continue
    env[name] = value
  }
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) delete env[name]
    else env[name] = value
  }
  return env
}
