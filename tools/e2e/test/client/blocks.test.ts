import { createHash } from 'node:crypto'
import { HttpMethod, type DaprClient, type DaprServer } from '@dapr/dapr'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { App, component, endApps, endSidecars, Sidecar, type Json } from '../../src/index.ts'
import { clients, serverOf, wireError } from './clients.ts'

afterAll(async () => {
  await endSidecars()
  await endApps()
})

describe.each(clients)('%s', (_name, sdk) => {
  let sidecar: Sidecar
  let server: DaprServer
  let client: DaprClient
  let elsewhere: App
  const events: unknown[] = []

  beforeAll(async () => {
    elsewhere = await App.start({ '*': (request) => ({ status: 200, body: { got: request.json() } }) })
    const appPort = await freePort()
    sidecar = await Sidecar.launch({
      appId: 'orders',
      appPort,
      resources: {
        'components.yaml': [
          component('files', 'bindings.localstorage', { metadata: { rootPath: 'files' } }),
          component('web', 'bindings.http', { metadata: { url: `http://127.0.0.1:${elsewhere.port}/hook` } }),
          component('ticks', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
          component('unwanted', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
          component('vault', 'secretstores.local.file', {
            metadata: { secretsFile: 'resources/secrets.json' },
          }),
          component('env', 'secretstores.local.env'),
        ].join('---\n'),
        'secrets.json': JSON.stringify({ password: 'swordfish', db: { user: 'anna', pass: 'hunter2' } }),
      },
      env: { E2E_SECRET: 'from the environment' },
    })
    server = serverOf(sdk, sidecar.httpPort, appPort)
    client = server.client
    for (const method of [
      HttpMethod.GET,
      HttpMethod.POST,
      HttpMethod.PUT,
      HttpMethod.PATCH,
      HttpMethod.DELETE,
    ]) {
      await server.invoker.listen(
        'echo',
        async ({ body, query, headers }: Json) => ({ method, body, query, header: headers?.['x-mine'] }),
        { method },
      )
    }
    await server.binding.receive('ticks', async (data) => void events.push(data))
    await server.start()
    await sidecar.ready()
  })
  afterAll(async () => {
    await sidecar.stop()
    await client.stop()
    await server.stop()
  })

  test.each([HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE])(
    'invokes the own application: %s with a body and a header',
    async (method) => {
      const answer = await client.invoker.invoke('orders', 'echo?q=1&r=a%20b', method, { n: 1 }, {
        headers: { 'x-mine': 'yes' },
      } as never)
      expect(answer).toEqual({ method, body: '{"n":1}', query: '/echo?q=1&r=a%20b', header: 'yes' })
    },
  )

  test('invokes the own application: GET', async () => {
    expect(await client.invoker.invoke('orders', 'echo', HttpMethod.GET)).toMatchObject({
      method: 'get',
      query: '/echo',
    })
  })

  test('a method that the application does not have is its own 404; another application is refused', async () => {
    const absent = await client.invoker
      .invoke('orders', 'nosuch', HttpMethod.GET)
      .catch((error: unknown) => error)
    expect(JSON.parse((absent as Error).message)).toMatchObject({ status: 404 })
    expect((absent as Error).message).toContain('Cannot GET /nosuch')
    const other = await client.invoker
      .invoke('billing', 'pay', HttpMethod.GET)
      .catch((error: unknown) => error)
    expect(wireError(other).message).toContain('billing')
  })

  test('output bindings: files', async () => {
    const written = (await client.binding.send('files', 'create', 'the content', {
      fileName: 'a/b.txt',
    })) as Json
    expect(written.fileName).toContain('b.txt')
    expect(await client.binding.send('files', 'get', undefined, { fileName: 'a/b.txt' })).toBe('the content')
    expect(
      JSON.stringify(await client.binding.send('files', 'list', undefined, { fileName: '/' })),
    ).toContain('b.txt')
    await client.binding.send('files', 'delete', undefined, { fileName: 'a/b.txt' })
    const gone = await client.binding
      .send('files', 'get', undefined, { fileName: 'a/b.txt' })
      .catch((error) => error)
    expect(wireError(gone)).toMatchObject({ status: 500, errorCode: 'ERR_INVOKE_OUTPUT_BINDING' })
  })

  test('output bindings: HTTP', async () => {
    expect(await client.binding.send('web', 'post', { order: 1 })).toEqual({ got: { order: 1 } })
    expect(elsewhere.at('/hook')[0]).toMatchObject({ method: 'POST' })
    const wrong = await client.binding.send('web', 'fly', {}).catch((error) => error)
    expect(wireError(wrong).message).toContain('fly')
    const nosuch = await client.binding.send('nosuch', 'create', {}).catch((error) => error)
    expect(wireError(nosuch)).toMatchObject({ status: 500, errorCode: 'ERR_INVOKE_OUTPUT_BINDING' })
  })

  test('input bindings: the application gets events of those that it listens to', async () => {
    await waitFor(() => events.length >= 2, { what: 'two ticks' })
    expect(sidecar.log.join('\n')).toMatch(/unwanted/)
  })

  test('secrets, one and all', async () => {
    expect(await client.secret.get('vault', 'password')).toEqual({ password: 'swordfish' })
    expect(await client.secret.get('vault', 'db:user')).toEqual({ 'db:user': 'anna' })
    expect(await client.secret.getBulk('vault')).toEqual({
      password: { password: 'swordfish' },
      'db:user': { 'db:user': 'anna' },
      'db:pass': { 'db:pass': 'hunter2' },
    })
    expect(await client.secret.get('env', 'E2E_SECRET')).toEqual({ E2E_SECRET: 'from the environment' })
    const absent = await client.secret.get('vault', 'nosuch').catch((error: unknown) => error)
    expect(wireError(absent)).toMatchObject({ status: 500, errorCode: 'ERR_SECRET_GET' })
    const store = await client.secret.get('nosuch', 'k').catch((error: unknown) => error)
    expect(wireError(store)).toMatchObject({ status: 401, errorCode: 'ERR_SECRET_STORE_NOT_FOUND' })
  })

  test('metadata can be read and set; health is said', async () => {
    const metadata = (await client.metadata.get()) as Json
    expect(metadata).toMatchObject({ id: 'orders', appConnectionProperties: { protocol: 'http' } })
    expect(metadata.components.map((item: Json) => item.name).toSorted()).toEqual([
      'env',
      'files',
      'ticks',
      'unwanted',
      'vault',
      'web',
    ])
    const value = createHash('sha256').update('x').digest('hex')
    expect(await client.metadata.set('mark', value)).toBe(true)
    expect(((await client.metadata.get()) as Json).extended).toMatchObject({ mark: value })
    expect(await client.health.isHealthy()).toBe(true)
  })
})
