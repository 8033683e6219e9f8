import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWithService, findService, startService } from '@outrigger/services'
import { createForTest } from '@outrigger/conformance'
import { freePort, recordingLogger, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'
import { found, open, properties, registration } from './support.ts'

const acl =
  'acl { enabled = true, default_policy = "deny", tokens { master = "the-master-token", agent = "the-master-token" } }'

describeWithService(
  'consul',
  'with a Consul agent that asks for a token',
  (server) => {
    test('with a token of the configuration or of a file it works', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'outrigger-consul-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      writeFileSync(join(folder, 'token'), 'the-master-token\n')
      for (const client of [{ token: 'the-master-token' }, { tokenFile: join(folder, 'token') }]) {
        const resolver = await open(server(), { client, selfRegister: true })
        await waitFor(async () => {
          const kept = await resolver.register!(registration('orders', 1), {})
          await waitFor(async () => (await found(resolver, 'orders')).length === 1)
          await kept.close()
          return true
        })
      }
    })

    test('without one, or with a wrong one, the error says so and holds no token', async () => {
      for (const client of [{}, { token: 'a-wrong-token' }]) {
        const resolver = await open(server(), { client, selfRegister: true })
        const refused = await resolver.register!(registration('orders', 1), {}).catch(
          (error: unknown) => error,
        )
        expect(refused).toMatchObject({
          code: 'PERMISSION_DENIED',
          message: expect.stringContaining('answered 403') as string,
        })
        expect(String(refused)).not.toContain('a-wrong-token')
      }
    })
  },
  { args: ['-hcl', acl] },
)

describeWithService('consul', 'a Consul agent with TLS', () => {
  test('is spoken to by HTTPS, with a certificate of one’s own, and is not taken for another', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'outrigger-consul-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const consul = (...args: string[]): unknown => execFileSync(findService('consul')!, args, { cwd: folder })
    consul('tls', 'ca', 'create')
    consul('tls', 'cert', 'create', '-server', '-additional-ipaddress=127.0.0.1')
    consul('tls', 'cert', 'create', '-client')
    const https = await freePort()
    const file = (name: string): string => join(folder, name)
    const tls = [
      `ports { https = ${https} }`,
      `ca_file = "${file('consul-agent-ca.pem')}"`,
      `cert_file = "${file('dc1-server-consul-0.pem')}"`,
      `key_file = "${file('dc1-server-consul-0-key.pem')}"`,
      'verify_incoming_https = true',
    ].join('\n')
    const server = await startService('consul', { args: ['-hcl', tls] })
    onTestFinished(() => server.stop())
    const create = async (tlsConfig: object, logger = recordingLogger()): Promise<string[]> => {
      const client = { address: `127.0.0.1:${https}`, scheme: 'https', tlsConfig }
      const resolver = await createForTest(definition, { properties: properties({ client }), logger })
      onTestFinished(() => resolver.close())
      return found(resolver, 'nobody')
    }
    const own = {
      certFile: file('dc1-client-consul-0.pem'),
      keyFile: file('dc1-client-consul-0-key.pem'),
    }
    const ca = { caFile: file('consul-agent-ca.pem') }
    expect(await create({ ...ca, ...own })).toEqual([])
    expect(await create({ ...ca, ...own, address: 'server.dc1.consul' })).toEqual([])
    const logger = recordingLogger()
    expect(await create({ ...own, insecureSkipVerify: true }, logger)).toEqual([])
    expect(logger.messages('warn')).toEqual([
      'the certificate of the Consul agent is not checked (insecureSkipVerify)',
    ])
    for (const wrong of [own, ca, { ...ca, ...own, address: 'other.internal' }]) {
      await expect(create(wrong)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    }
  })
})

test('where there is no agent the start fails and says where it was looked for', async () => {
  const address = `127.0.0.1:${await freePort()}`
  const created = createForTest(definition, { properties: properties({ client: { address } }) })
  await expect(created).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `Consul at ${address} could not be asked (ECONNREFUSED)`,
  })
})
