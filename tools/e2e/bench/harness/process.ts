import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'

/** Clock ticks of /proc in a second: fixed at 100 on Linux. */
const ticksPerSecond = 100

/** A server under measurement, in a process of its own. */
export class Contender {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /** Starts a Node.js program and waits until `path` answers on its port. */
  static async start(
    argv: (port: number) => readonly string[],
    path: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Contender> {
    const port = await freePort()
    const child = spawn(process.execPath, argv(port), {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    })
    process.on('exit', () => child.kill('SIGKILL'))
    const contender = new Contender(child, port)
    for (let attempt = 0; attempt < 5000; attempt++) {
      if (child.exitCode !== null) throw new Error(`${argv(port).join(' ')} ended with ${child.exitCode}`)
      try {
        const response = await fetch(`http://127.0.0.1:${port}${path}`)
        await response.arrayBuffer()
        if (response.status < 500) return contender
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
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1')
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await gone
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
