import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'

/** Clock ticks of /proc in a second: fixed at 100 on Linux. */
const ticksPerSecond = 100

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A server under measurement, in a process of its own. */
export class Contender {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /** Starts a Node.js program and waits until `path` answers on its port. */
  static start(
    argv: (port: number) => readonly string[],
    path: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Contender> {
    return Contender.#launch(process.execPath, argv, env, async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      await response.arrayBuffer()
      return response.status < 500
    })
  }

  /** Starts any program and waits until its port takes connections. */
  static listening(command: string, argv: (port: number) => readonly string[]): Promise<Contender> {
    return Contender.#launch(command, argv, {}, takesConnections)
  }

  static async #launch(
    command: string,
    argv: (port: number) => readonly string[],
    env: NodeJS.ProcessEnv,
    ready: (port: number) => Promise<boolean>,
  ): Promise<Contender> {
    const port = await freePort()
    const child = spawn(command, argv(port), {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    const contender = new Contender(child, port)
    for (let attempt = 0; attempt < 5000; attempt++) {
      if (child.exitCode !== null) throw new Error(`${argv(port).join(' ')} ended with ${child.exitCode}`)
      try {
        if (await ready(port)) return contender
      } catch {
        // Not listening yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    throw new Error('the server did not become ready')
  }

  /** User and system time so far, in seconds. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1')
    const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(values[11]) + Number(values[12])) / ticksPerSecond
  }

  /** Resident memory, in MiB. */
  rssMiB(): number {
    return this.#statusMiB('VmRSS')
  }

  /** The most resident memory since the start or the last `forgetPeak`, in MiB. */
  peakMiB(): number {
    return this.#statusMiB('VmHWM')
  }

  forgetPeak(): void {
    // proc(5), clear_refs: 5 resets the peak.
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5')
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await gone
  }

  #statusMiB(name: string): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1')
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
