import { describeWithPython } from '@outrigger/services'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, endSidecars, Sidecar, subscription } from '../../src/index.ts'
import { versions } from './expected.ts'
import { call, portsOf, PythonApp } from './programs.ts'

afterAll(endSidecars)

const resources = [
  component('pubsub', 'pubsub.in-memory'),
  component('loose', 'pubsub.in-memory'),
  component('ticks', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
]
const bulk = subscription('bulk', { pubsub: 'pubsub', topic: 'bulk', route: 'plain' }).replace(
  'spec:\n',
  'spec:\n  bulkSubscribe:\n    enabled: true\n    maxMessagesCount: 2\n    maxAwaitDurationMs: 20\n',
)

async function ask(sidecar: Sidecar, path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const answer = await fetch(`${sidecar.url}/v1.0/${path}`, init)
  const text = await answer.text()
  return [answer.status, text === '' ? '' : (JSON.parse(text) as unknown)]
}

function post(sidecar: Sidecar, path: string, data: object, type = 'application/json') {
  const headers = { 'content-type': type, mark: 'here' }
  return ask(sidecar, path, { method: 'POST', headers, body: JSON.stringify(data) })
}

async function publish(sidecar: Sidecar, place: string, data: object, type?: string): Promise<void> {
  expect(await post(sidecar, `publish/${place}`, data, type)).toEqual([204, ''])
}

/** What the handlers of an application got, when all of these got something. */
function heard(sidecar: Sidecar, names: readonly string[]): Promise<object> {
  return waitFor(
    async () => {
      const [, all] = await ask(sidecar, 'invoke/py/method/heard')
      return names.every((name) => name in (all as object)) ? (all as object) : undefined
    },
    { what: `something for ${names.join(', ')}` },
  ) as Promise<object>
}

for (const version of versions) {
  describeWithPython(`dapr-${version}`, (python) => {
    const newer = version === '1.19'

    describe('an application over gRPC', () => {
      let app: PythonApp
      let sidecar: Sidecar

      beforeAll(async () => {
        const appPort = await freePort()
        app = new PythonApp(python, 'grpc_app.py', String(appPort))
        sidecar = await Sidecar.launch({
          appId: 'py',
          appPort,
          // The older one serves neither health checks nor several messages at once.
          flags: ['--app-protocol=grpc', ...(newer ? ['--enable-app-health-check'] : [])],
          resources: newer ? [...resources, bulk] : resources,
        })
        await sidecar.ready()
        await heard(sidecar, newer ? ['health'] : [])
      })
      afterAll(() => app.stop())

      test('is invoked over HTTP', async () => {
        const invoke = (method: string) => post(sidecar, `invoke/py/method/${method}`, { n: 1 })
        const caller = { mark: ['here'], 'dapr-caller-app-id': ['py'] }
        expect(await invoke('echo')).toEqual([200, { text: '{"n":1}', type: 'application/json', ...caller }])
        expect(await invoke('nothing')).toEqual([200, ''])
        const message = 'Exception calling application: as it should:'
        expect(await invoke('fails')).toEqual([500, { code: 2, message }])
        expect(await invoke('absent')).toEqual([501, expect.objectContaining({ code: 12 })])
      })

      test.each(['sync', 'async'])('is invoked by the %s client', async (kind) => {
        const env = { ...portsOf(sidecar), DAPR_API_METHOD_INVOCATION_PROTOCOL: 'grpc' }
        const { calls } = await call(python, [kind, 'app_methods', 'app_typed', 'app_service'], env)
        const answer = { text: 'text', type: 'text/plain', mark: ['here'], 'dapr-caller-app-id': ['py'] }
        expect(calls).toEqual({
          app_methods: {
            result: {
              answer: [answer, 'application/json'],
              'made-by': ['python'],
              nothing: '',
              fails: ['UNKNOWN'],
              absent: ['UNIMPLEMENTED'],
            },
          },
          app_typed: { result: { value: 'there and back' } },
          app_service: { result: { said: 'hello!', streamed: true } },
        })
      })

      test('gets events by topic, rule and status, and those of bindings', async () => {
        await publish(sidecar, 'pubsub/plain', { n: 1 })
        await publish(sidecar, 'pubsub/tried', { n: 2 })
        await publish(sidecar, 'pubsub/ruled', { big: true })
        const event = { specversion: '1.0', id: '1', source: 's', type: 'order', colour: 'red', data: {} }
        await publish(sidecar, 'pubsub/ruled', event, 'application/cloudevents+json')
        await publish(sidecar, 'loose/any', { n: 3 })
        const wanted = {
          plain: [['{"n":1}', 'application/json', 'com.dapr.event.sent', 'plain', true]],
          tried: ['{"n":2}'],
          dead: ['{"n":2}'],
          big: ['{"big":true}'],
          order: [['1', 'order', 's', 'red']],
          loose: ['{"n":3}'],
        }
        const found = await heard(sidecar, [...Object.keys(wanted), 'ticks'])
        expect(found).toMatchObject(wanted)
        expect(found).toHaveProperty('ticks.0', ['readTimeUTC', 'timeZone'])
      })

      if (newer) {
        test('gets events in the form of the newer SDK', async () => {
          await publish(sidecar, 'pubsub/message', { n: 6 })
          expect(await heard(sidecar, ['message'])).toMatchObject({
            message: [[{ n: 6 }, 'application/json', 'com.dapr.event.sent', 'message', true]],
          })
        })

        test('gets several events at once', async () => {
          await publish(sidecar, 'pubsub/bulk', { n: 4 })
          await publish(sidecar, 'pubsub/bulk', { n: 5 })
          await heard(sidecar, ['bulk {"n":4}', 'bulk {"n":5}'])
        })
      }
    })

    describe.each(['fastapi', 'flask'])('an application with %s', (framework) => {
      let app: PythonApp
      let sidecar: Sidecar

      beforeAll(async () => {
        const appPort = await freePort()
        app = new PythonApp(python, 'http_app.py', framework, String(appPort))
        sidecar = await Sidecar.launch({ appId: 'py', appPort, resources })
        await sidecar.ready()
      })
      afterAll(() => app.stop())

      test('gets events by topic, route and status', async () => {
        for (const topic of ['plain', 'routed', 'tried']) await publish(sidecar, `pubsub/${topic}`, { topic })
        const event = (topic: string) => [[{ topic }, 'com.dapr.event.sent', topic]]
        expect(await heard(sidecar, ['plain', 'routed', 'tried', 'dead'])).toEqual({
          plain: event('plain'),
          routed: event('routed'),
          tried: event('tried'),
          dead: event('tried'),
        })
      })
    })
  })
}
