import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, waitFor } from '@outrigger/testkit'
import { selfSigned } from '../../interop/certificate.ts'
import { Child, Sidecar, type SidecarOptions } from '../../src/index.ts'
import type { AppSettings } from './app-program.ts'

const program = fileURLToPath(new URL('app-program.ts', import.meta.url))
const sentry = fileURLToPath(import.meta.resolve('@outrigger/sentry/package.json')).replace(
  'package.json',
  'src/bin.ts',
)

export interface WorldOptions {
  readonly mtls?: boolean
  /** Further sections of the Configuration, indented by two. */
  readonly spec?: string
}

/** Sidecars that find each other by a file, with a certificate authority where they are to prove who they are. */
export class World {
  readonly folder: string
  readonly config: string
  readonly names: string
  readonly #children: Child[] = []
  readonly #sidecars: Sidecar[] = []
  readonly #others: (() => void)[] = []
  #sentryPort: number | undefined

  private constructor(folder: string) {
    this.folder = folder
    this.config = join(folder, 'config.yaml')
    this.names = join(folder, 'names.db')
  }

  static async start({ mtls = false, spec = '' }: WorldOptions = {}): Promise<World> {
    const world = new World(mkdtempSync(join(tmpdir(), 'outrigger-invoke-')))
    writeFileSync(world.config, world.configuration(spec))
    if (mtls) await world.#startSentry()
    return world
  }

  configuration(spec: string): string {
    return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: world }
spec:
  nameResolution:
    component: sqlite
    version: v1
    configuration: { connectionString: ${this.names} }
${spec}`
  }

  /** Where another machine finds the certificate authority. */
  sentryAt(host: string): string {
    return `--sentry-address=${host}:${this.#sentryPort}`
  }

  /** Flags and environment that let a sidecar, ours or another, take part. */
  get mtls(): { readonly flags: readonly string[]; readonly env: Readonly<Record<string, string>> } {
    if (this.#sentryPort === undefined) return { flags: [], env: {} }
    return {
      flags: ['--enable-mtls', `--sentry-address=127.0.0.1:${this.#sentryPort}`],
      env: { DAPR_TRUST_ANCHORS_FILE: join(this.folder, 'certs', 'ca.crt') },
    }
  }

  async sidecar(options: SidecarOptions & { readonly config?: string }): Promise<Sidecar> {
    const { config = this.config, flags = [], env = {}, ...rest } = options
    const sidecar = await Sidecar.launch({
      ...rest,
      flags: [`--config=${config}`, ...this.mtls.flags, ...flags],
      env: { ...this.mtls.env, ...env },
    })
    this.#sidecars.push(sidecar)
    return sidecar.ready()
  }

  /** An application in a process of its own, and its sidecar. */
  async app(
    name: string,
    kind: { readonly index: number; readonly protocol: string },
    options: Partial<SidecarOptions> = {},
  ): Promise<Sidecar> {
    const { host = '127.0.0.1', enter, flags = [], ...rest } = options
    const { httpPort = await freePort(), grpcPort = await freePort() } = options
    const certificate = this.certificate()
    const settings: AppSettings = { kind: kind.index, name, certificate, host, httpPort, grpcPort }
    const child = new Child(program, [JSON.stringify(settings)], { enter })
    this.#children.push(child)
    const appPort = Number((await child.line(/^listening on \d+$/)).split(' ').at(-1))
    return this.sidecar({
      ...rest,
      appId: name,
      appPort,
      host,
      httpPort,
      grpcPort,
      ...(enter !== undefined && { enter }),
      flags: [`--app-protocol=${kind.protocol}`, ...flags],
    })
  }

  certificate(): AppSettings['certificate'] {
    const folder = join(this.folder, 'tls')
    mkdirSync(folder, { recursive: true })
    return selfSigned(folder)
  }

  /** Keeps a process until the end. */
  keep(child: Child): Child {
    this.#children.push(child)
    return child
  }

  /** Another machine, with a cable to this one: a network namespace of its own. @returns how to enter it */
  async machine(): Promise<{
    readonly enter: readonly string[]
    readonly here: string
    readonly there: string
  }> {
    const holder = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' })
    this.#others.push(() => void holder.kill('SIGKILL'))
    const own = readlinkSync('/proc/self/ns/net')
    await waitFor(() => readlinkSync(`/proc/${holder.pid}/ns/net`) !== own)
    const enter = ['nsenter', '-t', String(holder.pid), '-n']
    const cable = `or${process.pid % 100_000}`
    const subnet = 1 + (process.pid % 250)
    const [here, there] = [`10.66.${subnet}.1`, `10.66.${subnet}.2`]
    run('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'cable', 'netns', String(holder.pid))
    this.#others.push(() => void spawnSync('ip', ['link', 'delete', cable]))
    run('ip', 'address', 'add', `${here}/24`, 'dev', cable)
    run('ip', 'link', 'set', cable, 'up')
    run(...enter, 'ip', 'address', 'add', `${there}/24`, 'dev', 'cable')
    run(...enter, 'ip', 'link', 'set', 'cable', 'up')
    run(...enter, 'ip', 'link', 'set', 'lo', 'up')
    return { enter, here, there }
  }

  async end(): Promise<void> {
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.dispose()))
    const running = this.#children.filter((child) => child.running)
    await Promise.all(running.map((child) => child.end('SIGKILL')))
    for (const other of this.#others.toReversed()) other()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #startSentry(): Promise<void> {
    const port = await freePort()
    const flags = [
      `--issuer-credentials=${join(this.folder, 'certs')}`,
      `--port=${port}`,
      `--healthz-port=${await freePort()}`,
      '--enable-metrics=false',
    ]
    mkdirSync(join(this.folder, 'certs'))
    const child = this.keep(new Child(sentry, flags))
    await child.line(/Listening for grpc/)
    this.#sentryPort = port
  }
}

/** Whether this process may make networks. */
export const networks = spawnSync('unshare', ['-n', 'ip', 'link']).status === 0

function run(...[program, ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(program!, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}
