import { createRuntime } from '@outrigger/runtime'
import { tempFolder } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { component, modulesPath, startSidecar, endSidecars } from '../../src/index.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

test('the same resources work in the process of an application, without any port', async () => {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  const resources = [
    component('store', 'state.sqlite', { metadata: { connectionString: `${path}/state.db` } }),
    component('pubsub', 'pubsub.sqlite', { metadata: { connectionString: `${path}/messages.db` } }),
  ]
  const runtime = createRuntime({ appId: 'shop', resources, modulesPaths: [modulesPath] })
  await runtime.start()
  try {
    expect(runtime.addresses.http).toEqual([])
    await runtime.api.state.save(
      'store',
      [{ key: 'k', value: { bytes: encode({ n: 1 }), kind: 'json' } }],
      {},
    )
    const item = await runtime.api.state.get('store', 'k', undefined, {}, {})
    expect(new TextDecoder().decode(item!.value.bytes)).toBe('{"n":1}')
  } finally {
    await runtime.stop()
  }

  // A sidecar of the same application finds what was saved.
  const sidecar = await startSidecar({ appId: 'shop', resources })
  onTestFinished(endSidecars)
  expect(await (await fetch(`${sidecar.url}/v1.0/state/store/k`)).json()).toEqual({ n: 1 })
})

test('two runtimes in one process do not know of each other', async () => {
  const resources = [component('store', 'state.in-memory')]
  const one = createRuntime({ appId: 'one', resources, modulesPaths: [modulesPath] })
  const two = createRuntime({ appId: 'two', resources, modulesPaths: [modulesPath] })
  await Promise.all([one.start(), two.start()])
  await one.api.state.save('store', [{ key: 'k', value: { bytes: encode(1), kind: 'json' } }], {})
  expect(await two.api.state.get('store', 'k', undefined, {}, {})).toBeUndefined()
  await Promise.all([one.stop(), two.stop()])
})

test('a start that fails says what is wrong and throws, and does not end the process', async () => {
  const runtime = createRuntime({
    appId: 'shop',
    resources: [component('store', 'state.nosuch')],
    modulesPaths: [modulesPath],
  })
  await expect(runtime.start()).rejects.toThrow('npm install @outrigger/state-nosuch')
})
