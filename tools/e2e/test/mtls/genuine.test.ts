import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { callsOf } from '@outrigger/proto/call'
import { APIVersion, ServiceInvocation } from '@outrigger/proto/internals'
import { freePort, waitFor } from '@outrigger/testkit'
import type { Security } from '@outrigger/security'
import { createServer, type TlsOptions } from '@outrigger/wire'
import { GrpcChannel, grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { launchGenuine, launchGenuineSentry, open, ready, startSentry, temp, type Genuine } from './setup.ts'

const program = process.env['OUTRIGGER_GENUINE_DAPRD'] ?? ''
const audience = 'spiffe://localhost/ns/default/dapr-sentry'

/** What becomes of a call of a sidecar's port for sidecars. */
async function call({ internalPort }: Genuine, tls: TlsOptions | undefined): Promise<string> {
  const client = createHttp2Client(tls === undefined ? {} : { tls })
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${internalPort}`
  try {
    const { callLocal } = callsOf(ServiceInvocation, new GrpcChannel({ origin, client }))
    await callLocal({ ver: APIVersion.V1, message: { method: 'hello' } }, { timeoutMs: 10_000 })
    return 'answered'
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return `${grpcStatusName(error.code)}: ${error.message}`
  } finally {
    client.close()
  }
}

describe.skipIf(program === '')('a genuine daprd (OUTRIGGER_GENUINE_DAPRD) with our sentry', () => {
  it('gets an identity, and knows those who have one from those who have not', async () => {
    const sentry = await startSentry()
    const genuine = await launchGenuine(program, 'genuine', sentry)
    await ready(genuine)
    expect(sentry.child.output).toContain('Signed a certificate for spiffe://public/ns/default/genuine')
    const friend = await open(sentry, 'orders')
    const expected = { namespace: 'default', appId: 'genuine' }
    // It has no application that it could call; that it says so needs the connection.
    expect(await call(genuine, friend.clientTls(expected))).toMatch(/^INTERNAL: .*app channel/i)
    expect(await call(genuine, friend.clientTls({ ...expected, appId: 'stock' }))).toMatch(
      /^UNAVAILABLE: .*default\/genuine, not stock/,
    )
    const foreign = await startSentry()
    const stranger = await open(foreign, 'orders')
    const reckless = { ...stranger.clientTls(expected), ca: friend.trustAnchors }
    expect(await call(genuine, reckless)).toMatch(/^UNAVAILABLE/)
    expect(await call(genuine, undefined)).toMatch(/^UNAVAILABLE/)
  })

  it('waits for a sentry that is not there yet', async () => {
    const { folder, anchorsFile, child } = await startSentry()
    await child.end()
    const port = await freePort()
    const genuine = await launchGenuine(program, 'genuine', { address: `127.0.0.1:${port}`, anchorsFile })
    await waitFor(() => genuine.log().includes('Fetching initial identity'))
    expect(await genuine.healthy()).toBe(false)
    await startSentry([], { folder, port })
    await ready(genuine)
  })

  it('gets tokens for the audiences that it asks for', async () => {
    const sentry = await startSentry(['--jwt-enabled', '--jwt-issuer=https://issuer.example'])
    const genuine = await launchGenuine(program, 'genuine', sentry, {
      flags: ['--sentry-request-jwt-audiences=vault'],
    })
    await ready(genuine)
    expect(genuine.log()).toMatch(/jwt expires on/)
  })

  it('is let in by its token, and by nobody else’s', async () => {
    const folder = await temp()
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const config = join(folder, 'sentry.yaml')
    const source = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] })
    const validator = { name: 'jwks', options: { source } }
    const resource = {
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Configuration',
      metadata: { name: 'daprsystem' },
      spec: { mtls: { enabled: true, tokenValidators: [validator] } },
    }
    // JSON is YAML as well.
    await writeFile(config, JSON.stringify(resource))
    const tokenFor = async (appId: string): Promise<string> => {
      const file = join(folder, `token-of-${appId}`)
      const claims = {
        sub: `spiffe://public/ns/default/${appId}`,
        aud: audience,
        exp: Math.floor(Date.now() / 1000) + 3600,
      }
      const signed = [{ alg: 'ES256', kid: 'one' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      const token = `${signed}.${signature.toString('base64url')}`
      await writeFile(file, token)
      return file
    }
    const sentry = await startSentry([`--config=${config}`])
    const [own, others] = [await tokenFor('genuine'), await tokenFor('stock')]
    const allowed = await launchGenuine(program, 'genuine', sentry, { env: { DAPR_SENTRY_TOKEN_FILE: own } })
    await ready(allowed)
    const refused = await launchGenuine(program, 'genuine', sentry, {
      env: { DAPR_SENTRY_TOKEN_FILE: others },
    })
    await waitFor(() => !refused.running(), { what: 'the end of the one that was refused' })
    expect(refused.log()).toMatch(/PermissionDenied.*its subject is not the identity/)
    await sentry.child.line(/Refused a certificate for default\/genuine: PERMISSION_DENIED/)
  })
})

const authority = process.env['OUTRIGGER_GENUINE_SENTRY'] ?? ''

describe.skipIf(authority === '')('our identities from a genuine sentry (OUTRIGGER_GENUINE_SENTRY)', () => {
  it('let two peers talk', async () => {
    const sentry = await launchGenuineSentry(authority)
    const [server, client] = await Promise.all([
      open(sentry, 'orders', { jwtAudiences: ['vault'] }),
      open(sentry, 'stock'),
    ])
    expect(server.id.uri).toBe('spiffe://public/ns/default/orders')
    expect(server.jwt('vault')).toBeDefined()
    const listener = createServer({ tls: server.serverTls(), protocols: ['h2'] }, (request, response) =>
      response.send(200, [], server.identify(request.peerCertificate).uri),
    )
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => listener.close(AbortSignal.abort()))
    const own = createHttp2Client({ tls: client.clientTls({ namespace: 'default', appId: 'orders' }) })
    onTestFinished(() => own.close())
    const { body } = await own.request({ origin: `https://127.0.0.1:${port}` })
    expect(Buffer.from(await body.bytes()).toString()).toBe('spiffe://public/ns/default/stock')
  })

  it('are refused as it says', async () => {
    const sentry = await launchGenuineSentry(authority)
    await expect(open(sentry, 'a.b')).rejects.toThrow(/PERMISSION_DENIED: .*cannot contain dots/)
  })

  it('come as well when our sentry takes over its files', async () => {
    const genuine = await launchGenuineSentry(authority)
    const ours = await startSentry([], { folder: genuine.folder })
    const [before, after] = await Promise.all([open(genuine, 'orders'), open(ours, 'orders')])
    const issuer = (security: Security): string =>
      new X509Certificate(security.serverTls().cert as string).issuer
    expect(issuer(after)).toBe(issuer(before))
  })
})
