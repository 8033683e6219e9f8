import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { SidecarMessage } from '@outrigger/runtime'
import { createClient } from '@outrigger/wire'
import { CliFailure } from '../failure.ts'
import { eachLine, sidecarLine } from './output.ts'
import { claimPort, freePorts } from './ports.ts'
import { outriggerHome } from '../home.ts'
import { defaultConfiguration, modulesPath, sidecarCommand } from './sidecar.ts'

export interface RunOptions {
  readonly appId: string
  readonly appPort: number | undefined
  /** Absent or 0: a free one. */
  readonly httpPort: number | undefined
  readonly grpcPort: number | undefined
  readonly resourcesPaths: readonly string[]
  /** Flags for the sidecar as they are: `--log-level=debug`. */
  readonly sidecarFlags: readonly string[]
  /** The application's command; empty: the sidecar alone. */
  readonly command: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly print: (line: string) => void
  readonly color: boolean
  /** Finds ports that are free; default: `freePorts`. */
  readonly findPorts?: typeof freePorts
}

/** How long a child may take to end before it is killed. */
const endTimeoutMs = 15_000
/** How long what a child leaves behind may keep its output open. */
const lastWordsMs = 1000
/** A terminal signals everybody, and package managers pass it on: within this time it is one and the same. */
const sameSignalMs = 1000
/** How often other ports are tried when those that were found free are taken before the sidecar has them. */
const mostTries = 5
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs an application with its sidecar until one of them ends or a signal comes, and ends both.
 * @returns the exit code: that of the application, or 1 when the sidecar ended by itself
 */
export async function run(options: RunOptions): Promise<number> {
  if (options.httpPort) await claimPort(options.httpPort, '--dapr-http-port')
  if (options.grpcPort) await claimPort(options.grpcPort, '--dapr-grpc-port')
  return new Session(options).run()
}

class Session {
  readonly #options: RunOptions
  #httpPort = 0
  #grpcPort = 0
  #sidecar: ChildProcess | undefined
  /** Its exit code; without one there is none that could end. */
  #sidecarEnded: Promise<number> = Promise.resolve(0)
  #app: ChildProcess | undefined
  /** When a signal asked for the end: that is no failure. */
  #signalledAt: number | undefined
  #stopping: Promise<void> | undefined

  constructor(options: RunOptions) {
    this.#options = options
  }

  async run(): Promise<number> {
    const { command, print } = this.#options
    // They stay to the end: a signal that comes when all is over must not decide about the exit code.
    const onSignal = (): void => this.#onSignal()
    for (const signal of signals) process.on(signal, onSignal)
    // Whoever read what is printed has gone: nobody would see what still runs.
    process.stdout.on('error', onSignal)
    await this.#startOnFreePorts()
    const sidecarEnded = this.#sidecarEnded
    const app = this.#stopping !== undefined || command.length === 0 ? undefined : this.#startApp()
    const appEnded = app === undefined ? new Promise<number>(() => {}) : ended(app)
    if (this.#stopping === undefined) void this.#announce(Promise.race([sidecarEnded, appEnded]))
    const first = await Promise.race([
      appEnded.then((code) => ({ who: 'app', code })),
      sidecarEnded.then((code) => ({ who: 'sidecar', code })),
    ])
    if (this.#stopping === undefined) {
      print(
        first.who === 'app'
          ? `The application ended with exit code ${first.code}`
          : 'The sidecar ended by itself',
      )
    }
    await this.#stop()
    if (this.#signalledAt !== undefined) return 0
    return first.who === 'app' ? first.code : 1
  }

  /** Ends both in order; who asks again, after a while, does not want to wait for it. */
  #onSignal(): void {
    const now = performance.now()
    this.#signalledAt ??= now
    if (now - this.#signalledAt > sameSignalMs) {
      for (const child of [this.#sidecar, this.#app]) child?.kill('SIGKILL')
    }
    void this.#stop()
  }

  /**
   * Starts the sidecar and waits until it can be used, or the end was asked for. Ports that nobody asked for may be
   * taken before it has them: then others are tried. Only its own word counts: on a port that was taken, somebody else
   * answers.
   */
  async #startOnFreePorts(): Promise<void> {
    const { appId, appPort, httpPort, grpcPort, findPorts = freePorts, print } = this.#options
    for (let tries = 1; ; tries++) {
      const [freeHttp, freeGrpc] = await findPorts(2, [appPort, httpPort, grpcPort])
      if (this.#stopping !== undefined) return
      this.#httpPort = httpPort || freeHttp!
      this.#grpcPort = grpcPort || freeGrpc!
      print(
        `Starting ${appId}. Sidecar: HTTP on 127.0.0.1:${this.#httpPort}, gRPC on 127.0.0.1:${this.#grpcPort}`,
      )
      const sidecar = this.#startSidecar()
      this.#sidecarEnded = ended(sidecar)
      const message = await firstMessage(sidecar, this.#sidecarEnded)
      if (message?.daprd === 'started' || this.#stopping !== undefined) return
      await this.#sidecarEnded
      const flag = message?.flag
      const overHttp = flag === 'dapr-http-port' && !httpPort
      if (tries === mostTries || !(overHttp || (flag === 'dapr-grpc-port' && !grpcPort)))
        throw new CliFailure('the sidecar did not start; its log above says why')
      const port = overHttp ? this.#httpPort : this.#grpcPort
      print(`Port ${port} was free and is taken now: the sidecar starts again on others`)
    }
  }

  #startSidecar(): ChildProcess {
    const { appId, appPort, resourcesPaths, sidecarFlags, env, color } = this.#options
    const [program, ...args] = sidecarCommand()
    args.push(`--app-id=${appId}`, `--dapr-http-port=${this.#httpPort}`, `--dapr-grpc-port=${this.#grpcPort}`)
    args.push('--dapr-listen-addresses=127.0.0.1', '--log-as-json=true', `--modules-path=${modulesPath()}`)
    if (appPort !== undefined) args.push(`--app-port=${appPort}`)
    for (const path of resourcesPaths) args.push(`--resources-path=${path}`)
    args.push(`--config=${defaultConfiguration()}`)
    const sidecar = spawn(program, [...args, ...sidecarFlags], {
      // Where applications of this machine find each other: see the default Configuration.
      env: { OUTRIGGER_NAMES: join(outriggerHome(env), 'data', 'names.db'), ...env },
      // It says how the start went; its end tells the sidecar that this command was killed.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in a terminal goes to everybody of a group: the sidecar would take the order to end for a second one.
      detached: process.platform !== 'win32',
    })
    this.#sidecar = sidecar
    const prefix = `${appId} sidecar | `
    for (const stream of [sidecar.stdout!, sidecar.stderr!]) {
      eachLine(stream, (line) => this.#options.print(prefix + sidecarLine(line, color)))
    }
    return sidecar
  }

  #startApp(): ChildProcess {
    const { appId, appPort, command, env, print } = this.#options
    const app = spawn(command[0]!, command.slice(1), {
      stdio: ['inherit', 'pipe', 'pipe'],
      env: {
        ...env,
        APP_ID: appId,
        ...(appPort !== undefined && { APP_PORT: String(appPort) }),
        DAPR_APP_ID: appId,
        DAPR_HTTP_PORT: String(this.#httpPort),
        DAPR_GRPC_PORT: String(this.#grpcPort),
        DAPR_HTTP_ENDPOINT: `http://127.0.0.1:${this.#httpPort}`,
        DAPR_GRPC_ENDPOINT: `http://127.0.0.1:${this.#grpcPort}`,
      },
    })
    this.#app = app
    app.on('error', (error) => print(`${command[0]} could not be started: ${error.message}`))
    for (const stream of [app.stdout, app.stderr]) eachLine(stream, (line) => print(`${appId} | ${line}`))
    return app
  }

  /** Says when everything is connected; until then, what is waited for is in the sidecar's log. */
  async #announce(over: Promise<unknown>): Promise<void> {
    if (!(await this.#answers('/v1.0/healthz', over))) return
    this.#options.print(
      `You're up and running! ${this.#options.appId} has its sidecar on http://127.0.0.1:${this.#httpPort}`,
    )
  }

  /** Polls a health route until it says yes: whether it did before the end. */
  async #answers(path: string, over: Promise<unknown>): Promise<boolean> {
    let ended = false
    void over.then(() => (ended = true))
    const client = createClient({ timeouts: { connectMs: 1000, headersMs: 2000 } })
    try {
      while (!ended && this.#stopping === undefined) {
        try {
          const answer = await client.request({ origin: `http://127.0.0.1:${this.#httpPort}`, path })
          answer.body.cancel()
          if (answer.status === 204) return !ended && this.#stopping === undefined
        } catch {
          // It is about to end.
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    } finally {
      client.close()
    }
    return false
  }

  /** The sidecar first: while it drains it still needs the application. */
  #stop(): Promise<void> {
    this.#stopping ??= this.#endBoth()
    return this.#stopping
  }

  async #endBoth(): Promise<void> {
    for (const child of [this.#sidecar, this.#app]) if (child !== undefined) await end(child)
  }
}

/** What a sidecar says of its start; `undefined` when it ends without a word. */
function firstMessage(sidecar: ChildProcess, over: Promise<unknown>): Promise<SidecarMessage | undefined> {
  return new Promise((resolve) => {
    sidecar.once('message', (message) => resolve(message as SidecarMessage))
    void over.then(() => resolve(undefined))
  })
}

/**
 * The exit code of a child, after all that it printed: 128 and the signal's number when one ended it, 127 when it could
 * not be started.
 */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', () => resolve(127))
    child.on('exit', (code, signal) => {
      const result = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
      const timer = setTimeout(() => {
        // Held open by processes that outlive the child; they must not hold this one.
        child.stdout?.destroy()
        child.stderr?.destroy()
        resolve(result)
      }, lastWordsMs)
      child.once('close', () => {
        clearTimeout(timer)
        resolve(result)
      })
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs)
  await gone
  clearTimeout(timer)
}
