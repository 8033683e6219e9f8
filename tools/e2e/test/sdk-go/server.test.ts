import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Started } from '../../interop/built-program.ts'
import { component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { describePeers } from '../grpc-interop/describe-peers.ts'
import { programs } from './programs.ts'

interface Event {
  readonly id: string
  readonly type: string
  readonly topic: string
  readonly pubsubname: string
  readonly data: unknown
  readonly metadata?: Readonly<Record<string, string>>
}

afterAll(endSidecars)

for (const [version, program] of programs) {
  describePeers(`the Go SDK ${version}`, program.missing, () => {
    describe.each(['http', 'grpc'] as const)('with a service over %s', (protocol) => {
      const got = new Map<string, Event[]>()
      let service: Started
      let sidecar: Sidecar

      beforeAll(async () => {
        const appPort = await freePort()
        service = await program.start(['serve', protocol, String(appPort), 'app-token'])
        await collect(service, got)
        sidecar = await startSidecar({
          appId: 'shop',
          appPort,
          flags: [
            `--app-protocol=${protocol}`,
            '--enable-app-health-check',
            '--app-health-check-path=/health',
          ],
          env: { APP_API_TOKEN: 'app-token' },
          resources: [
            component('pubsub', 'pubsub.in-memory', { metadata: { redeliverInterval: '50ms' } }),
            component('ticks', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
          ],
        })
      }, 300_000)

      afterAll(async () => {
        await sidecar.stop()
        service.child.stdin!.end()
        expect(await service.ended).toBe('')
      })

      const publish = async (topic: string, data: unknown, type = 'application/json'): Promise<void> => {
        const headers = { 'content-type': type }
        const body = JSON.stringify(data)
        const url = `${sidecar.url}/v1.0/publish/pubsub/${topic}?metadata.a=b`
        expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(204)
      }
      const received = (name: string, count = 1): Promise<readonly Event[]> =>
        waitFor(() => ((got.get(name)?.length ?? 0) >= count ? got.get(name) : undefined), {
          what: `${count} for ${name}`,
        }) as Promise<readonly Event[]>
      const invoke = async (path: string, init?: RequestInit): Promise<readonly unknown[]> => {
        const answer = await fetch(`${sidecar.url}/v1.0/invoke/shop/method/${path}`, init)
        return [answer.status, answer.headers.get('content-type'), await answer.text()]
      }

      test('AddHealthCheckHandler', async () => {
        await received('health')
      })

      test('AddServiceInvocationHandler', async () => {
        const headers = { 'content-type': 'text/plain' }
        const [status, type, text] = await invoke('echo?a=1&b=%20', { method: 'PUT', headers, body: 'hello' })
        expect([status, type]).toEqual([200, 'application/json'])
        expect(JSON.parse(text as string)).toEqual({
          verb: 'PUT',
          query: 'a=1&b=%20',
          type: 'text/plain',
          data: 'hello',
        })
        expect(await invoke('with/path')).toEqual([200, 'text/plain', 'path'])
        expect((await invoke('nothing', { method: 'DELETE' }))[0]).toBe(200)
        const failed = await invoke('failing')
        expect(failed[0]).toBe(500)
        expect(failed[2]).toContain('it cannot be done')
      })

      test('AddBindingInvocationHandler', async () => {
        await received('ticks')
      })

      test('AddTopicEventHandler', async () => {
        await publish('plain', { n: 1 })
        expect(await received('plain')).toMatchObject([
          { topic: 'plain', pubsubname: 'pubsub', type: 'com.dapr.event.sent', data: { n: 1 } },
        ])
      })

      test('AddTopicEventHandler: tried again', async () => {
        await publish('retried', { n: 2 })
        const [first, second] = await received('retried', 2)
        expect(second!.id).toBe(first!.id)
      })

      test('AddTopicEventHandler: dropped', async () => {
        await publish('dropped', { n: 3 })
        await received('dropped')
        // The older one has no field for their topic.
        if (version !== '1.8.0') expect(await received('dead')).toMatchObject([{ data: { n: 3 } }])
      })

      test('AddTopicEventHandler: raw messages', async () => {
        await publish('raw', { n: 4 })
        await received('raw')
      })

      test('AddTopicEventHandler: rules', async () => {
        const event = { specversion: '1.0', source: 's', type: 'order', datacontenttype: 'application/json' }
        const type = 'application/cloudevents+json'
        await publish('ruled', { n: 5 })
        await publish('ruled', { ...event, id: '6', data: { n: 6, urgent: false } }, type)
        await publish('ruled', { ...event, id: '7', data: { n: 7, urgent: true } }, type)
        expect(await received('other')).toMatchObject([{ data: { n: 5 } }])
        expect(await received('order')).toMatchObject([{ id: '6', data: { n: 6 } }])
        expect(await received('urgent')).toMatchObject([{ id: '7', data: { n: 7 } }])
      })

      if (version === '1.8.0') return
      test('AddTopicEventSubscriber', async () => {
        await publish('subscriber', { n: 8 })
        expect(await received('subscriber')).toMatchObject([{ data: { n: 8 } }])
      })
    })
  })
}

/** Collects what handlers were given. Settles when the service is ready. */
function collect({ lines, ended }: Started, got: Map<string, Event[]>): Promise<void> {
  return new Promise((resolve, reject) => {
    const read = async (): Promise<void> => {
      for await (const line of lines) {
        if (line['ready'] === true) resolve()
        const name = line['got'] as string
        got.set(name, [...(got.get(name) ?? []), line['event'] as Event])
      }
      reject(new Error(await ended))
    }
    read().catch(reject)
  })
}
