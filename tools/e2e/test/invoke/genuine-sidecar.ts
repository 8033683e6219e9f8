import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, waitFor } from '@outrigger/testkit'
import type { World } from './world.ts'

/** The program of a genuine sidecar. How to get one is not part of this repository. */
export const genuine = process.env['OUTRIGGER_GENUINE_DAPRD']

/** A side of the exchange, as callers see it. */
export interface Side {
  readonly url: string
  readonly grpcPort: number
}

/** A genuine sidecar that finds others by the file of the world. */
export class GenuineSidecar implements Side {
  readonly url: string
  readonly grpcPort: number
  readonly #child: ChildProcess
  readonly #folder: string
  readonly lines: string[] = []

  private constructor(child: ChildProcess, folder: string, httpPort: number, grpcPort: number) {
    this.#child = child
    this.#folder = folder
    this.url = `http://127.0.0.1:${httpPort}`
    this.grpcPort = grpcPort
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data: Buffer) => this.lines.push(data.toString()))
  }

  static async start(
    world: World,
    appId: string,
    app: { readonly port: number },
    protocol: string,
    config = world.config,
  ): Promise<GenuineSidecar> {
    const [httpPort, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()]
    const folder = mkdtempSync(join(tmpdir(), 'outrigger-genuine-'))
    const flags = [
      `--app-id=${appId}`,
      `--app-port=${app.port}`,
      `--app-protocol=${protocol}`,
      `--dapr-http-port=${httpPort}`,
      `--dapr-grpc-port=${grpcPort}`,
      '--dapr-listen-addresses=127.0.0.1',
      `--metrics-port=${metricsPort}`,
      `--config=${config}`,
      ...world.mtls.flags,
    ]
    const anchors = world.mtls.env['DAPR_TRUST_ANCHORS_FILE']
    const env = {
      ...process.env,
      DAPR_HOST_IP: '127.0.0.1',
      NAMESPACE: 'default',
      ...(anchors !== undefined && { DAPR_TRUST_ANCHORS: readFileSync(anchors, 'utf8') }),
    }
    const child = spawn(genuine!, flags, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const sidecar = new GenuineSidecar(child, folder, httpPort, grpcPort)
    const healthy = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(sidecar.lines.join(''))
      return (await fetch(`${sidecar.url}/v1.0/healthz`).catch(() => undefined))?.status === 204
    }
    await waitFor(healthy, { what: 'the genuine sidecar', deadlineMs: 30_000 })
    return sidecar
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
