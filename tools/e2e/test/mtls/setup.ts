import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock, systemRandom } from '@outrigger/host'
import { openSecurity, type Security, type SecurityOptions } from '@outrigger/security'
import { freePort, recordingLogger, tempFolder, waitFor } from '@outrigger/testkit'
import { onTestFinished } from 'vitest'
import { Child } from '../../src/child.ts'

const sentryProgram = fileURLToPath(new URL('../../../../packages/sentry/src/bin.ts', import.meta.url))
export const cliProgram = fileURLToPath(new URL('../../../../packages/cli/src/bin.ts', import.meta.url))

export interface SentryProcess {
  readonly child: Child
  readonly folder: string
  /** `127.0.0.1:port`. */
  readonly address: string
  readonly anchorsFile: string
}

export async function temp(): Promise<string> {
  const { path, remove } = await tempFolder('mtls-')
  onTestFinished(remove)
  return path
}

/** A sentry in a process of its own; `port` and `folder` are for one that comes back. */
export async function startSentry(
  flags: readonly string[] = [],
  { folder, port }: { readonly folder?: string; readonly port?: number } = {},
): Promise<SentryProcess> {
  const path = folder ?? (await temp())
  const [grpc, healthz] = [port ?? (await freePort()), await freePort()]
  const child = new Child(sentryProgram, [
    `--issuer-credentials=${path}`,
    `--port=${grpc}`,
    '--listen-address=127.0.0.1',
    `--healthz-port=${healthz}`,
    '--healthz-listen-address=127.0.0.1',
    '--enable-metrics=false',
    '--log-level=debug',
    ...flags,
  ])
  onTestFinished(async () => void (await child.end()))
  const ready = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${healthz}/healthz`)).ok
  await child.waitUntil(() => ready().catch(() => false), 'sentry is ready')
  return { child, folder: path, address: `127.0.0.1:${grpc}`, anchorsFile: join(path, 'ca.crt') }
}

/** The identity of an application, in this process. */
export async function open(
  { address, anchorsFile }: Pick<SentryProcess, 'address' | 'anchorsFile'>,
  appId: string,
  own: Partial<SecurityOptions> = {},
): Promise<Security> {
  const security = await openSecurity({
    sentryAddress: address,
    appId,
    namespace: 'default',
    controlPlaneTrustDomain: 'localhost',
    controlPlaneNamespace: 'default',
    trustAnchorsFile: anchorsFile,
    clock: systemClock,
    random: systemRandom,
    logger: recordingLogger(),
    ...own,
  })
  onTestFinished(() => security.close())
  return security
}

export interface Genuine {
  readonly internalPort: number
  /** Everything it has written. */
  log(): string
  /** Whether it says that it is healthy. */
  healthy(): Promise<boolean>
  running(): boolean
}

/** Starts the genuine sidecar with mutual TLS; it may or may not become healthy. */
export async function launchGenuine(
  program: string,
  appId: string,
  sentry: Pick<SentryProcess, 'address' | 'anchorsFile'>,
  { flags = [], env = {} }: { readonly flags?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Genuine> {
  const [http, grpc, internalPort] = [await freePort(), await freePort(), await freePort()]
  const folder = await temp()
  const child = spawn(
    program,
    [
      `--app-id=${appId}`,
      '--enable-mtls',
      `--sentry-address=${sentry.address}`,
      `--dapr-http-port=${http}`,
      `--dapr-grpc-port=${grpc}`,
      `--dapr-internal-grpc-port=${internalPort}`,
      '--dapr-internal-grpc-listen-address=127.0.0.1',
      '--dapr-listen-addresses=127.0.0.1',
      '--enable-metrics=false',
      `--resources-path=${folder}`,
      ...flags,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        NAMESPACE: 'default',
        DAPR_TRUST_ANCHORS: await readFile(sentry.anchorsFile, 'utf8'),
        DAPR_CONTROLPLANE_NAMESPACE: 'default',
        DAPR_CONTROLPLANE_TRUST_DOMAIN: 'localhost',
        ...env,
      },
    },
  )
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (log += data.toString()))
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await waitFor(() => !running())
  })
  const healthy = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`).catch(() => undefined)
    return answer?.status === 204
  }
  return { internalPort, log: () => log, healthy, running }
}

/** Waits until the genuine sidecar is healthy. */
export async function ready(genuine: Genuine): Promise<void> {
  try {
    await waitFor(() => genuine.healthy(), { what: 'the genuine sidecar is healthy' })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${genuine.log().slice(-3000)}`, { cause: error })
  }
}

/** Starts the genuine sentry, which issues tokens as well. */
export async function launchGenuineSentry(
  program: string,
): Promise<Pick<SentryProcess, 'folder' | 'address' | 'anchorsFile'>> {
  const folder = await temp()
  const config = join(folder, 'config.yaml')
  await writeFile(
    config,
    'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: daprsystem\n',
  )
  const [port, healthz] = [await freePort(), await freePort()]
  const child = spawn(
    program,
    [
      `--config=${config}`,
      `--issuer-credentials=${folder}`,
      `--port=${port}`,
      '--listen-address=127.0.0.1',
      `--healthz-port=${healthz}`,
      '--healthz-listen-address=127.0.0.1',
      '--enable-metrics=false',
      '--jwt-enabled',
    ],
    { stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: folder, NAMESPACE: 'default' } },
  )
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await waitFor(() => child.exitCode !== null || child.signalCode !== null)
  })
  const ready = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${healthz}/healthz`)).ok
  await waitFor(() => ready().catch(() => false), { what: 'the genuine sentry is ready' })
  return { folder, address: `127.0.0.1:${port}`, anchorsFile: join(folder, 'ca.crt') }
}
