import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Contender, freePort } from '../harness/process.ts'
import type { Certificates } from '../wire/certificates.ts'
import { startHaproxy } from '../wire/haproxy.ts'

export type Protocol = 'http' | 'grpc'

/** What lies between a client and the application; the first hop is the one to call. */
export interface Chain {
  readonly name: string
  readonly port: number
  readonly hops: readonly Contender[]
}

/** The application that is called. */
export const callee = 'callee'

const root = join(import.meta.dirname, '../../../..')
const executable = (name: string): string => join(root, `packages/${name}/dist/bin.js`)
const conditions = '--conditions=@outrigger/source'

/** Answers with what it was sent: over HTTP to everything, over gRPC to `/bench.Echo/Call`. */
export function startApplication(protocol: Protocol): Promise<Contender> {
  const program = protocol === 'http' ? ['servers/echo.ts'] : ['../wire/servers/grpc.ts', 'outrigger']
  const [file, ...args] = program.map((text) =>
    text.endsWith('.ts') ? join(import.meta.dirname, text) : text,
  )
  return Contender.listening(process.execPath, (port) => [conditions, file!, ...args, `${port}`])
}

/** An authority with its files in `folder`. */
export interface Sentry {
  readonly process: Contender
  readonly trustAnchors: string
}

export async function startSentry(folder: string): Promise<Sentry> {
  const credentials = join(folder, 'credentials')
  await mkdir(credentials, { recursive: true })
  const healthPort = await freePort()
  const process = await Contender.listening(globalThis.process.execPath, (port) => [
    executable('sentry'),
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    `--healthz-port=${healthPort}`,
    '--healthz-listen-address=127.0.0.1',
    '--enable-metrics=false',
    `--issuer-credentials=${credentials}`,
    '--log-level=error',
  ])
  return { process, trustAnchors: join(credentials, 'ca.crt') }
}

/** Two sidecars as they are built, that find each other in a file; with a sentry over mutual TLS. */
export async function startSidecars(
  folder: string,
  protocol: Protocol,
  application: number,
  sentry: Sentry | undefined,
): Promise<Chain> {
  await mkdir(join(folder, 'resources'), { recursive: true })
  await writeFile(join(folder, 'config.yaml'), configuration(folder))
  const start = async (appId: string, flags: readonly string[]) => {
    const grpcPort = await freePort()
    const argv = (port: number): string[] => [
      executable('runtime'),
      `--app-id=${appId}`,
      `--dapr-http-port=${port}`,
      `--dapr-grpc-port=${grpcPort}`,
      '--dapr-listen-addresses=127.0.0.1',
      '--dapr-internal-grpc-listen-address=127.0.0.1',
      `--resources-path=${join(folder, 'resources')}`,
      `--config=${join(folder, 'config.yaml')}`,
      `--modules-path=${join(root, 'tools/e2e')}`,
      '--log-level=error',
      ...(sentry === undefined ? [] : ['--enable-mtls', `--sentry-address=127.0.0.1:${sentry.process.port}`]),
      ...flags,
    ]
    const env = sentry === undefined ? {} : { DAPR_TRUST_ANCHORS_FILE: sentry.trustAnchors }
    return { process: await Contender.start(argv, '/v1.0/healthz/outbound', env), grpcPort }
  }
  const second = await start(callee, [`--app-port=${application}`, `--app-protocol=${protocol}`])
  await announced(second.process.port)
  const first = await start('caller', [])
  const port = protocol === 'http' ? first.process.port : first.grpcPort
  return { name: 'outrigger', port, hops: [first.process, second.process] }
}

/** Two haproxies that speak the same; with certificates over mutual TLS. */
export async function startHaproxies(
  folder: string,
  protocol: Protocol,
  application: number,
  files: Certificates | undefined,
): Promise<Chain> {
  await mkdir(folder, { recursive: true })
  const hops = await startHaproxy(folder, files, application, protocol === 'grpc')
  return { name: 'haproxy', port: hops[0].port, hops }
}

/** Others find a sidecar when its application is there. */
async function announced(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const response = await fetch(`http://127.0.0.1:${port}/v1.0/healthz`)
    await response.arrayBuffer()
    if (response.status === 204) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('the application was not connected')
}

function configuration(folder: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: bench
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: ${join(folder, 'names.db')}
`
}
