import { systemClock, systemRandom, type Clock } from '@outrigger/host'
import { callsOf, type CallsOf } from '@outrigger/proto/call'
import { CA } from '@outrigger/proto/sentry'
import {
  createCertificateRequest,
  openSecurity,
  type PeerRefused,
  type Security,
  type SecurityOptions,
} from '@outrigger/security'
import { recordingLogger, tempFolder, type RecordingLogger, type VirtualClock } from '@outrigger/testkit'
import { createServer, type Server, type TlsOptions } from '@outrigger/wire'
import { GrpcChannel, grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createSentry, defaultConfiguration, type Sentry, type SentryOptions } from '../src/index.ts'

export const hour = 3_600_000

export interface Running {
  readonly sentry: Sentry
  readonly logger: RecordingLogger
  readonly folder: string
  /** `localhost:port`. */
  readonly address: string
  /** What ca.crt holds. */
  anchors(): Promise<string>
}

export interface Own extends Partial<SentryOptions> {
  readonly folder?: string
  readonly clock?: Clock
}

/** The options of a sentry on free ports, with its files in `folder`. */
export function optionsIn(folder: string, own: Partial<SentryOptions> = {}): SentryOptions {
  return {
    ...defaultConfiguration,
    listen: { host: '127.0.0.1', port: 0 },
    trustDomain: 'localhost',
    namespace: 'default',
    files: {
      trustAnchors: join(folder, 'ca.crt'),
      issuerChain: join(folder, 'issuer.crt'),
      issuerKey: join(folder, 'issuer.key'),
    },
    ...own,
  }
}

export async function temp(): Promise<string> {
  const { path, remove } = await tempFolder('sentry-')
  onTestFinished(remove)
  return path
}

/** Starts a sentry that ends with the test. */
export async function startSentry({ folder, clock = systemClock, ...own }: Own = {}): Promise<Running> {
  const path = folder ?? (await temp())
  const logger = recordingLogger()
  const options = optionsIn(path, own)
  const sentry = createSentry(options, { clock, random: systemRandom, logger })
  await sentry.start()
  onTestFinished(async () => void (await sentry.stop()))
  return {
    sentry,
    logger,
    folder: path,
    address: `127.0.0.1:${sentry.addresses.grpc.port}`,
    anchors: () => readFile(options.files.trustAnchors, 'utf8'),
  }
}

/** Calls a sentry as a sidecar would, but with any request. */
export async function caller({ address, anchors }: Running): Promise<CallsOf<typeof CA>> {
  const client = createHttp2Client({ tls: { ca: await anchors(), verifyServer: () => undefined } })
  onTestFinished(() => client.close())
  return callsOf(CA, new GrpcChannel({ origin: `https://${address}`, client }))
}

/** A request that would be signed. */
export function goodRequest() {
  return {
    id: 'orders',
    namespace: 'default',
    certificateSigningRequest: Buffer.from(createCertificateRequest().request),
  }
}

/** `STATUS: message` of a call that must fail. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((caught: unknown) => caught)
  if (!isGrpcError(error)) throw new Error('it was not refused')
  return `${grpcStatusName(error.code)}: ${error.message}`
}

/** Opens the identity of an application; it ends with the test. */
export async function open(
  running: Pick<Running, 'address' | 'folder'>,
  appId: string,
  own: Partial<SecurityOptions> = {},
): Promise<Security> {
  const security = await openSecurity({
    sentryAddress: running.address,
    appId,
    namespace: 'default',
    controlPlaneTrustDomain: 'localhost',
    controlPlaneNamespace: 'default',
    ...('trustAnchors' in own ? {} : { trustAnchorsFile: join(running.folder, 'ca.crt') }),
    clock: systemClock,
    random: systemRandom,
    logger: recordingLogger(),
    ...own,
  })
  onTestFinished(() => security.close())
  return security
}

/** A server that says who has asked, with the identity of an application. */
export async function serve(security: Security): Promise<{ server: Server; origin: string }> {
  const server = createServer({ tls: security.serverTls(), protocols: ['h2'] }, (request, response) => {
    try {
      response.send(200, [], security.identify(request.peerCertificate).uri)
    } catch (error) {
      response.send(403, [], (error as PeerRefused).message)
    }
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close(AbortSignal.abort()))
  return { server, origin: `https://127.0.0.1:${port}` }
}

/** Asks over a connection of its own. */
export async function ask(origin: string, tls: TlsOptions): Promise<string> {
  const client = createHttp2Client({ tls })
  try {
    const { status, body } = await client.request({ origin })
    const text = Buffer.from(await body.bytes()).toString()
    return status === 200 ? text : `${status} ${text}`
  } finally {
    client.close()
  }
}

/** Lets virtual time pass, and real work happen, until something holds. */
export async function passUntil(
  clock: VirtualClock,
  condition: () => boolean | Promise<boolean>,
  what: string,
  stepMs = 5_000,
): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: it did not happen`)
    await clock.advance(stepMs)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
