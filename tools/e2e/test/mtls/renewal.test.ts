import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '@outrigger/testkit'
import { createServer } from '@outrigger/wire'
import { createHttp2Client } from '@outrigger/wire/http2'
import { expect, it, onTestFinished } from 'vitest'
import { Child } from '../../src/child.ts'
import { cliProgram, open, startSentry } from './setup.ts'

const orders = { namespace: 'default', appId: 'orders' }

it('outrigger mtls renews root and issuer while processes run and talk', async () => {
  const sentry = await startSentry()
  const mtls = async (...args: string[]): Promise<string> => {
    const child = new Child(cliProgram, ['mtls', ...args, `--issuer-credentials=${sentry.folder}`])
    onTestFinished(async () => void (await child.end()))
    const code = await child.ended()
    if (code !== 0) throw new Error(child.output)
    return child.output
  }
  const certificate = async (name: string): Promise<X509Certificate> =>
    new X509Certificate(await readFile(join(sentry.folder, name)))
  const issuedBy = (cert: unknown): string => new X509Certificate(cert as string).issuer

  const [server, client] = await Promise.all([open(sentry, 'orders'), open(sentry, 'stock')])
  const listener = createServer({ tls: server.serverTls(), protocols: ['h2'] }, (request, response) =>
    response.send(200, [], server.identify(request.peerCertificate).appId),
  )
  server.onChange(() => listener.replaceTls(server.serverTls()))
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => listener.close(AbortSignal.abort()))
  const ask = async (tls = client.clientTls(orders)): Promise<string> => {
    const own = createHttp2Client({ tls })
    try {
      const { body } = await own.request({ origin: `https://127.0.0.1:${port}` })
      return Buffer.from(await body.bytes()).toString()
    } finally {
      own.close()
    }
  }

  const before = await certificate('issuer.crt')
  expect(await mtls('expiry')).toMatch(/expires in 36[45] days/)
  expect(await mtls('renew-certificate', '--settle=3')).toContain('sentry signs with them from now on')
  const after = await certificate('issuer.crt')
  expect(after.subject).not.toBe(before.subject)
  // Those who were there before talk with those who come after.
  const newcomer = await waitFor(async () => {
    const security = await open(sentry, 'newcomer')
    return issuedBy(security.serverTls().cert) === after.subject ? security : undefined
  })
  expect(await ask()).toBe('stock')
  await waitFor(() => server.trustAnchors.match(/BEGIN/g)?.length === 2)
  await waitFor(() => newcomer!.trustAnchors.match(/BEGIN/g)?.length === 2)
  expect(await ask(newcomer!.clientTls(orders))).toBe('newcomer')
  expect(await mtls('show')).toContain('There are several roots')
  await mtls('remove-old-roots')
  await waitFor(() => server.trustAnchors.match(/BEGIN/g)?.length === 1)
  await expect(ask()).rejects.toThrow()
})
