import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@outrigger/testkit'
import { findService, missingReason, serviceDefinition, type ServiceName } from './registry.ts'
import { spawnServer, type ServerProcess } from './server-process.ts'

/** A running backing server. It dies with the process that started it. */
export interface Service {
  readonly name: ServiceName
  readonly host: string
  /** The same for the whole life of the service, restarts included. */
  readonly port: number
  readonly pid: number
  /** Its own temporary folder; also holds `server.log`. */
  readonly dataDir: string
  readonly running: boolean
  /** Asks the server to end, waits for it and removes its folder. May be called twice. */
  stop(): Promise<void>
  /** SIGKILL; resolves when the process is gone. Its port and folder stay for `restart()`. */
  kill(): Promise<void>
  /** Ends the server if it still runs and starts it again on the same port and folder. */
  restart(): Promise<void>
}

export interface ServiceOptions {
  /** More arguments for the server, after the usual ones. */
  readonly args?: readonly string[]
  /** A port of one's own choice; a free one unless said. */
  readonly port?: number
}

const host = '127.0.0.1'
// Generous: only a server that hangs gets this far.
const deadlineMs = 120_000
const attempts = 5

/** Starts a server of its own on a free loopback port; resolves when it answers. */
export async function startService(name: ServiceName, options: ServiceOptions = {}): Promise<Service> {
  const definition = serviceDefinition(name)
  const binary = findService(name)
  if (binary === undefined) throw new Error(`service ${name}: ${missingReason(name)}`)
  const dataDir = mkdtempSync(join(tmpdir(), `outrigger-${name}-`))
  const logFile = join(dataDir, 'server.log')

  const launch = async (port: number): Promise<ServerProcess> => {
    const server = spawnServer({
      binary,
      args: [...definition.args({ host, port, dataDir }), ...(options.args ?? [])],
      env: { ...process.env, ...definition.env },
      logFile,
      folder: dataDir,
    })
    const giveUp = AbortSignal.timeout(deadlineMs)
    let last: unknown
    while (server.running && !giveUp.aborted) {
      try {
        await definition.probe({ host, port, dataDir, pid: server.pid })
        return server
      } catch (error) {
        last = error
        await Promise.race([sleep(10), server.ended])
      }
    }
    server.signal('SIGKILL')
    const how = giveUp.aborted ? `did not answer (${last})` : `ended with ${await server.ended}`
    throw new Error(`service ${name} ${how}; the end of its log:\n${tail(logFile)}`)
  }

  let port = options.port ?? (await freePort(host))
  let server: ServerProcess | undefined
  for (let attempt = 1; server === undefined; attempt++) {
    try {
      server = await launch(port)
    } catch (error) {
      // Somebody else may have taken the port between finding and using it.
      if (options.port !== undefined || attempt === attempts) {
        rmSync(dataDir, { recursive: true, force: true })
        throw error
      }
      port = await freePort(host)
    }
  }
  let current = server

  const end = async (signal: NodeJS.Signals) => {
    const impatient = new AbortController()
    current.signal(signal)
    // A server that ignores the signal must not hold up the tests.
    const last = sleep(30_000, undefined, { signal: impatient.signal, ref: false }).then(
      () => current.signal('SIGKILL'),
      () => undefined,
    )
    await current.ended
    impatient.abort()
    await last
  }

  return {
    name,
    host,
    port,
    dataDir,
    get pid() {
      return current.pid
    },
    get running() {
      return current.running
    },
    async stop() {
      await end(definition.stopSignal ?? 'SIGTERM')
      rmSync(dataDir, { recursive: true, force: true })
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end(definition.stopSignal ?? 'SIGTERM')
      current = await launch(port)
    },
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2_000).trim()
  } catch {
    return '(no log)'
  }
}
