import { tempFolder } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, endApps, endSidecars, startSidecar } from '../../src/index.ts'
import { durable, publish } from './brokers.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

durable((broker) => {
  test('an orderly end lets what is under way finish, and it does not come again', async () => {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const app = await App.start({
      'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }],
      'POST /orders': async (request) => {
        if (request.json().data.id === 'slow') await held
        return { status: 200 }
      },
    })
    const sidecar = await startSidecar({ appPort: app.port, resources: broker.resources(path, 1000) })
    expect(await publish(sidecar, 'slow')).toBe(true)
    await app.received('/orders')
    sidecar.child.signal('SIGTERM')
    await sidecar.child.waitUntil(
      () =>
        fetch(`${sidecar.url}/v1.0/healthz`).then(
          ({ status }) => status !== 204,
          () => true,
        ),
      'the sidecar says that it is leaving',
    )
    expect(sidecar.child.running).toBe(true)
    release()
    expect(await sidecar.child.ended()).toBe(0)
    sidecar.start()
    await sidecar.ready()
    // Longer than the time after which a lost message would come again.
    await new Promise((resolve) => setTimeout(resolve, 1700))
    expect(await publish(sidecar, 'next')).toBe(true)
    await app.received('/orders', 2)
    expect(app.at('/orders').map((request) => request.json().data.id)).toEqual(['slow', 'next'])
  })

  test('when the time for that is over the sidecar ends anyway, and the message comes again', async () => {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    let calls = 0
    const app = await App.start({
      'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }],
      'POST /orders': () => (++calls === 1 ? new Promise(() => {}) : { status: 200 }),
    })
    const sidecar = await startSidecar({
      appPort: app.port,
      resources: broker.resources(path, 'soon'),
      flags: ['--dapr-graceful-shutdown-seconds=1'],
    })
    expect(await publish(sidecar, 'stuck')).toBe(true)
    await app.received('/orders')
    sidecar.child.signal('SIGTERM')
    await sidecar.child.ended()
    sidecar.start()
    await sidecar.ready()
    await app.received('/orders', 2)
    expect(app.at('/orders').map((request) => request.json().data.id)).toEqual(['stuck', 'stuck'])
  })
})
