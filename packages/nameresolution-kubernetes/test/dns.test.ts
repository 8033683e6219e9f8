import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createForTest } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import type { NameResolver } from '@outrigger/spec'
import { freePort, recordingLogger, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'

async function open(properties: Record<string, string>, logger = recordingLogger()): Promise<NameResolver> {
  const resolver = await createForTest(definition, { properties, logger })
  onTestFinished(() => resolver.close())
  return resolver
}

const request = { appId: 'orders', namespace: 'default', metadata: {} }

describeWithService(
  'dnsmasq',
  'with a DNS server whose answers live for 7 seconds',
  (server) => {
    const nameservers = (): string => `127.0.0.1:${server().port}`
    const hosts = (lines: string): void => writeFileSync(join(server().dataDir, 'hosts', 'pods'), lines)

    test('an answer lives as long as DNS says, one that says that there is nothing for a second', async () => {
      const resolver = await open({ nameservers: nameservers() })
      const there = await resolver.resolve({ ...request, appId: 'fixed' }, {})
      expect(there).toEqual({ instances: [{ host: '10.0.0.9', port: 50_002 }], ttlMs: 7000 })
      const nobody = await resolver.resolve({ ...request, appId: 'nobody' }, {})
      expect(nobody).toEqual({ instances: [], ttlMs: 1000 })
    })

    test('what DNS says now is found, nothing is remembered', async () => {
      const resolver = await open({ nameservers: nameservers() })
      const found = async (): Promise<string> => {
        const { instances } = await resolver.resolve(request, {})
        return instances
          .map(({ host }) => host)
          .toSorted()
          .join()
      }
      const line = (address: string): string => `${address} orders-dapr.default.svc.cluster.local\n`
      hosts(line('10.0.0.1') + line('10.0.0.2'))
      await waitFor(async () => (await found()) === '10.0.0.1,10.0.0.2')
      hosts(line('10.0.0.3'))
      await waitFor(async () => (await found()).includes('10.0.0.3'))
    })

    test('a template makes the name, and clusterDomain beside it is told of', async () => {
      const logger = recordingLogger()
      const template = '{{.ID}}-{{.Data.region}}.internal:{{.Port}}'
      const resolver = await open({ template, clusterDomain: 'x', nameservers: nameservers() }, logger)
      expect(logger.messages('warn')).toEqual(['clusterDomain is not used, because there is a template'])
      const found = await resolver.resolve({ ...request, port: 80, metadata: { region: 'eu' } }, {})
      expect(found.instances).toEqual([{ host: '10.0.0.8', port: 80 }])
    })

    test('what is no part of a name is refused', async () => {
      const resolver = await open({ nameservers: nameservers() })
      for (const appId of ['a:80', 'x/y', '[::1]', 'evil.example:80#']) {
        await expect(resolver.resolve({ ...request, appId }, {})).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringContaining(JSON.stringify(appId)) as string,
        })
      }
    })
  },
  {
    args: [
      '--local-ttl=7',
      '--host-record=fixed-dapr.default.svc.cluster.local,10.0.0.9',
      '--host-record=orders-eu.internal,10.0.0.8',
    ],
  },
)

test('where nobody answers it is UNAVAILABLE, and not that there is nothing', async () => {
  const resolver = await open({ nameservers: `127.0.0.1:${await freePort('127.0.0.1')}` })
  await expect(resolver.resolve(request, {})).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('orders-dapr.default.svc.cluster.local') as string,
  })
})

test.each([
  [{ nameservers: 'dns.internal' }, 'nameservers must be IP addresses'],
  [{ template: '{{.Name}}' }, 'template has the action {{.Name}}'],
])('wrong metadata is refused: %j', async (properties, message) => {
  await expect(open(properties)).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message) as string,
  })
})
