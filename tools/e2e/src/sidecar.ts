import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, tempFolder } from '@outrigger/testkit'
import { Child } from './child.ts'
import { writeResources, type ResourcesText } from './resources.ts'

export interface SidecarOptions {
  readonly appId?: string
  readonly appPort?: number
  /** Written into a folder of its own, or read from `resourcesPath`. */
  readonly resources?: ResourcesText
  readonly resourcesPath?: string
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly imports?: readonly string[]
  /** Ports of its API. Default: free ones. */
  readonly httpPort?: number
  readonly grpcPort?: number
  /** Address of its API. Default 127.0.0.1. */
  readonly host?: string
  /** What goes before its command: `nsenter ...` for a network of its own. */
  readonly enter?: readonly string[]
}

export const daprd = fileURLToPath(import.meta.resolve('@outrigger/runtime/package.json')).replace(
  'package.json',
  'src/bin.ts',
)
/** All component packages can be found from here. */
export const modulesPath = fileURLToPath(new URL('..', import.meta.url))

const running = new Set<Sidecar>()

/** The sidecar from its sources, in a process and a folder of its own, on ports of 127.0.0.1 that stay the same for its whole life. */
export class Sidecar {
  readonly appId: string
  readonly folder: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly #options: SidecarOptions
  #child: Child | undefined

  private constructor(options: SidecarOptions, folder: string, httpPort: number, grpcPort: number) {
    this.#options = options
    this.appId = options.appId ?? 'app'
    this.folder = folder
    this.httpPort = httpPort
    this.grpcPort = grpcPort
    running.add(this)
  }

  /** Starts one and does not wait for anything. */
  static async launch(options: SidecarOptions): Promise<Sidecar> {
    const { path } = await tempFolder('outrigger-e2e-')
    const { httpPort = await freePort(), grpcPort = await freePort() } = options
    const sidecar = new Sidecar(options, path, httpPort, grpcPort)
    if (options.resources !== undefined) await writeResources(join(path, 'resources'), options.resources)
    sidecar.start()
    return sidecar
  }

  get url(): string {
    return `http://${this.host}:${this.httpPort}`
  }

  get host(): string {
    return this.#options.host ?? '127.0.0.1'
  }

  get child(): Child {
    return this.#child!
  }

  /** All lines of the log of this life. */
  get log(): readonly string[] {
    return this.child.lines
  }

  get resourcesPath(): string {
    return this.#options.resourcesPath ?? join(this.folder, 'resources')
  }

  /** Starts the process, again after `kill` or `stop`. */
  start(): void {
    const { appPort, flags, env, imports, enter } = this.#options
    const args = [
      `--app-id=${this.appId}`,
      `--dapr-http-port=${this.httpPort}`,
      `--dapr-grpc-port=${this.grpcPort}`,
      `--dapr-listen-addresses=${this.host}`,
      `--modules-path=${modulesPath}`,
      // The default port can be had by one of them only.
      ...((flags ?? []).some((flag) => flag.startsWith('--metrics-port')) ? [] : ['--enable-metrics=false']),
      ...(this.#options.resources === undefined && this.#options.resourcesPath === undefined
        ? []
        : [`--resources-path=${this.resourcesPath}`]),
      ...(appPort === undefined ? [] : [`--app-port=${appPort}`]),
      ...(flags ?? []),
    ]
    this.#child = new Child(daprd, args, { cwd: this.folder, env, imports, enter })
  }

  /** Waits until it answers that everything is ready, the application too; or only its components. */
  async ready(what: 'everything' | 'outbound' = 'everything'): Promise<this> {
    const path = what === 'everything' ? '/v1.0/healthz' : '/v1.0/healthz/outbound'
    await this.child.waitUntil(async () => {
      try {
        return (await fetch(this.url + path)).status === 204
      } catch {
        return false
      }
    }, `sidecar ${this.appId} ready`)
    return this
  }

  /** An orderly end. */
  stop(): Promise<number> {
    return this.child.end('SIGTERM')
  }

  /** SIGKILL; `start` begins another life on the same ports and folder. */
  async kill(): Promise<void> {
    await this.child.end('SIGKILL')
  }

  async dispose(): Promise<void> {
    running.delete(this)
    if (this.child.running) await this.child.end('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Starts a sidecar and waits until its API can be used; with an application, until that was reached. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const sidecar = await Sidecar.launch(options)
  try {
    return await sidecar.ready()
  } catch (error) {
    await sidecar.dispose()
    throw error
  }
}

/** Ends what a test left: call it after each test or all of them. */
export async function endSidecars(): Promise<void> {
  await Promise.all([...running].map((sidecar) => sidecar.dispose()))
}
