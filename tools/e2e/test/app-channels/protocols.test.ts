import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configurationOf, MemoryItems } from '@outrigger/configuration-in-memory'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { freePort } from '@outrigger/testkit'
import type { CreateRuntimeOptions } from '@outrigger/runtime'
import { Fields } from '@outrigger/wire'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../../interop/certificate.ts'
import type { Certificate } from '../../interop/peer.ts'
import { component } from '../../src/index.ts'
import { appKinds, Behaviour, Refusal, type Invocation, type RunningApp } from './apps.ts'
import { startRuntime, type Started } from './setup.ts'

const folder = mkdtempSync(join(tmpdir(), 'app-channels-'))
let certificate: Certificate
beforeAll(() => {
  certificate = selfSigned(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Only ends what hangs. */
const patient = { timeout: 30_000 }

describe.each(appKinds)('an application over $protocol ($name)', ({ protocol, start }) => {
  const overGrpc = protocol.startsWith('grpc')

  async function run(behaviour: Behaviour, port = 0): Promise<RunningApp> {
    const app = await start(behaviour, port, certificate)
    onTestFinished(() => app.stop().catch(() => {}))
    return app
  }

  async function setUp(
    options: Partial<CreateRuntimeOptions> = {},
  ): Promise<Started & { app: RunningApp; behaviour: Behaviour }> {
    const behaviour = new Behaviour()
    const app = await run(behaviour)
    const started = await startRuntime({ appPort: app.port, appProtocol: protocol, ...options })
    return { ...started, app, behaviour }
  }

  const message = (method: string, data = '') => ({
    method,
    data: { typeUrl: '', value: Buffer.from(data) },
    contentType: 'text/x',
    httpExtension: { verb: HTTPExtension_Verb.PUT, querystring: 'a=1&b=%20' },
  })

  test('is invoked over HTTP, with the token of its sidecar', async () => {
    const { url, behaviour } = await setUp({ appApiToken: 'secret' })
    behaviour.invoke = async ({ data }) => data.toUpperCase()
    const answer = await fetch(`${url}/v1.0/invoke/shop/method/orders/7?a=1&b=%20`, {
      method: 'PUT',
      headers: { 'content-type': 'text/x', 'x-a': '1', 'dapr-api-token': 'forged' },
      body: 'hello',
    })
    expect([answer.status, await answer.text(), answer.headers.get('x-app')]).toEqual([200, 'HELLO', 'here'])
    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(behaviour.invocations).toMatchObject([
      { method: 'orders/7', verb: 'PUT', query: 'a=1&b=%20', contentType: 'text/x', data: 'hello' },
    ])
    expect(behaviour.invocations[0]!.header('x-a')).toBe('1')
    expect(behaviour.invocations[0]!.header('dapr-caller-app-id')).toBe('shop')
    await expect.poll(() => [...behaviour.tokens], patient).toEqual(['secret'])
  })

  test('is invoked over gRPC', async () => {
    const { dapr, behaviour } = await setUp()
    behaviour.invoke = async ({ data }) => data.toUpperCase()
    let head = new Fields()
    const answer = await dapr.invokeService(
      { id: 'shop', message: message('orders/7', 'hello') },
      { metadata: ['x-a', '1'], onMetadata: (metadata) => (head = metadata) },
    )
    expect([answer.contentType, Buffer.from(answer.data!.value).toString()]).toEqual(['text/plain', 'HELLO'])
    expect([head.get('x-app'), head.get('dapr-http-status')]).toEqual(['here', overGrpc ? undefined : '200'])
    expect(behaviour.invocations).toMatchObject([
      { method: 'orders/7', verb: 'PUT', query: 'a=1&b=%20', contentType: 'text/x', data: 'hello' },
    ])
    expect(behaviour.invocations[0]!.header('x-a')).toBe('1')
  })

  test('refuses as it likes, over either', async () => {
    const { url, dapr, behaviour } = await setUp()
    behaviour.invoke = async () => {
      throw new Refusal(404, 5)
    }
    const answer = await fetch(`${url}/v1.0/invoke/shop/method/orders`)
    const text = await answer.text()
    expect(answer.status).toBe(404)
    if (overGrpc) expect(JSON.parse(text)).toEqual({ code: 5, message: 'not today' })
    else expect(text).toBe('not today')
    const called = dapr.invokeService({ id: 'shop', message: message('orders') })
    await expect(called).rejects.toMatchObject({ code: 5, message: overGrpc ? 'not today' : 'Not Found' })
  })

  test('takes bodies up to the limit', async () => {
    const { url, behaviour } = await setUp({ maxBodyBytes: 1_000_000 })
    behaviour.invoke = async ({ data }) => `${data.length}`.padEnd(data.length, '.')
    const post = (size: number) =>
      fetch(`${url}/v1.0/invoke/shop/method/size`, { method: 'POST', body: 'x'.repeat(size) })
    const answer = await post(900_000)
    expect([answer.status, (await answer.text()).length]).toEqual([200, 900_000])
    expect((await post(1_100_000)).status).toBe(500)
  })

  test('gets events of bindings that it wants, and says what became of them', async () => {
    const { runtime, source, behaviour } = await setUp({ appApiToken: 'secret' })
    await runtime.ready()
    expect(source.beingRead).toBe(true)
    const reply = await source.emit('1')
    expect([reply.settlement, Buffer.from('data' in reply ? reply.data! : []).toString()]).toEqual([
      'ack',
      'taken',
    ])
    behaviour.takesEvents = false
    expect(await source.emit('2')).toMatchObject({ settlement: 'nack' })
    expect(behaviour.events).toEqual(['1'])
    expect([...behaviour.tokens]).toEqual(['secret'])
  })

  test('is told of changes of the configuration', async () => {
    const items = new MemoryItems({ 'a limit': '10' })
    const { url, behaviour } = await setUp({
      definitions: [configurationOf(items)],
      resources: [component('config', 'configuration.in-memory')],
    })
    const answer = await fetch(`${url}/v1.0/configuration/config/subscribe?key=a%20limit`)
    const { id } = (await answer.json()) as { id: string }
    items.set('a limit', '20')
    await expect.poll(() => behaviour.invocations.length, patient).toBe(1)
    const [{ data, ...invocation }] = behaviour.invocations as [Invocation]
    expect(invocation).toMatchObject({
      method: overGrpc ? 'configuration/config/a limit' : 'configuration/config/a%20limit',
      verb: 'POST',
      contentType: 'application/json',
    })
    expect(JSON.parse(data)).toMatchObject({ id, items: { 'a limit': { value: '20' } } })
  })

  test('handles so many calls at once, while others wait and no more than may', async () => {
    const { runtime, url, source, behaviour } = await setUp({ appMaxConcurrency: 2 })
    await runtime.ready()
    const open: (() => void)[] = []
    behaviour.invoke = async ({ method }) => {
      await new Promise<void>((resolve) => open.push(resolve))
      return method
    }
    const answers = Array.from({ length: 6 }, (_, index) =>
      fetch(`${url}/v1.0/invoke/shop/method/${index}`).then((answer) => answer.text()),
    )
    let most = 0
    for (let answered = 0; answered < 6; answered++) {
      await expect.poll(() => open.length, patient).toBeGreaterThan(0)
      if (answered < 5) await expect.poll(() => open.length, patient).toBe(2)
      most = Math.max(most, behaviour.invocations.length - answered)
      open.shift()!()
      if (answered === 0) void source.emit('waits too')
    }
    expect((await Promise.all(answers)).toSorted()).toEqual(['0', '1', '2', '3', '4', '5'])
    expect(most).toBe(2)
    await expect.poll(() => behaviour.events, patient).toEqual(['waits too'])
  })

  test('is left alone while it says that it is not healthy', async () => {
    const { url, source, behaviour } = await setUp({
      appHealth: { enabled: true, path: '/healthz', intervalMs: 50, timeoutMs: 50, threshold: 2 },
      // Probes are let through.
      appMaxConcurrency: 1,
    })
    const invoke = async () => (await fetch(`${url}/v1.0/invoke/shop/method/a`)).status
    await expect.poll(invoke, patient).toBe(200)
    await expect.poll(() => source.beingRead, patient).toBe(true)
    behaviour.healthy = false
    await expect.poll(invoke, patient).toBe(500)
    const { invocations } = behaviour
    const before = invocations.length
    expect(await (await fetch(`${url}/v1.0/invoke/shop/method/a`)).json()).toMatchObject({
      errorCode: 'ERR_DIRECT_INVOKE',
      message: expect.stringContaining('app is not in a healthy state') as string,
    })
    expect(await source.emit('1')).toMatchObject({ settlement: 'nack' })
    expect([invocations.length, behaviour.events]).toEqual([before, []])
    behaviour.healthy = true
    await expect.poll(invoke, patient).toBe(200)
    await expect.poll(async () => (await source.emit('2')).settlement, patient).toBe('ack')
    expect(behaviour.probes).toBeGreaterThan(4)
  })

  test('may come late, die and return', async () => {
    const behaviour = new Behaviour()
    const port = await freePort()
    const { runtime, source, url } = await startRuntime({ appPort: port, appProtocol: protocol })
    const invoke = async () => (await fetch(`${url}/v1.0/invoke/shop/method/a`)).status
    expect([await invoke(), source.beingRead]).toEqual([overGrpc ? 503 : 500, false])
    const app = await run(behaviour, port)
    await runtime.ready()
    expect([await invoke(), (await source.emit('1')).settlement]).toEqual([200, 'ack'])

    const hanging = new Promise<void>((reached) => {
      behaviour.invoke = async () => {
        reached()
        return new Promise(() => {})
      }
    })
    const cut = invoke()
    await hanging
    await app.stop()
    expect(await cut).toBeGreaterThanOrEqual(500)
    expect([await invoke(), (await source.emit('2')).settlement]).toEqual([overGrpc ? 503 : 500, 'nack'])

    behaviour.invoke = async () => 'back'
    await run(behaviour, port)
    await expect.poll(invoke, patient).toBe(200)
    expect((await source.emit('3')).settlement).toBe('ack')
    expect(behaviour.events).toEqual(['1', '3'])
  })
})
