import { defineHttpMiddleware, type HttpMiddleware } from '@outrigger/spec'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { createRuntime, StartupError, type CreateRuntimeOptions } from '../src/index.ts'
import { schema } from './support/loading.ts'
import { upper } from './support/middleware.ts'
import { tempFolder } from '@outrigger/testkit'
import { writeFile } from 'node:fs/promises'

const component = (name: string, type = 'middleware.http.tag') => ({
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Component',
  metadata: { name },
  spec: { type, version: 'v1' },
})

/** Appends the name of the component to a header field of request and answer, and writes its closing down. */
function tagging(closed: string[] = []) {
  return defineHttpMiddleware({
    type: 'middleware.http.tag',
    title: 'Tag',
    versions: {
      v1: {
        metadata: schema(),
        capabilities: [],
        create: async ({ name }): Promise<HttpMiddleware> => ({
          capabilities: new Set(),
          async handle(request, next) {
            request.fields.append('x-in', name)
            if (request.query === `refuse=${name}`) return request.respond(401, {}, `refused by ${name}`)
            if (request.query === 'upper') request.replaceBody(upper(request.body))
            const response = await next(request)
            response.fields.append('x-out', name)
            return response
          },
          close: async () => void closed.push(name),
        }),
      },
    },
  })
}

async function config(text: string): Promise<string> {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  const file = `${folder.path}/config.yaml`
  await writeFile(
    file,
    `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n${text}`,
  )
  return file
}

const pipelines = (server: readonly string[], app: readonly string[]) => {
  const handlers = (names: readonly string[]) =>
    names.map((name) => `{name: ${name}, type: middleware.http.tag}`).join()
  return config(
    `  httpPipeline: {handlers: [${handlers(server)}]}\n  appHttpPipeline: {handlers: [${handlers(app)}]}\n`,
  )
}

async function sidecar(options: Partial<CreateRuntimeOptions>) {
  const runtime = createRuntime({
    appId: 'shop',
    logger: recordingLogger(),
    listenAddresses: ['127.0.0.1'],
    listen: true,
    httpPort: 0,
    grpcPort: 0,
    ...options,
  })
  onTestFinished(async () => void (await runtime.stop()))
  await runtime.start()
  await runtime.ready()
  return { runtime, url: `http://127.0.0.1:${runtime.addresses.http[0]!.port}` }
}

/** An application that answers with what it saw, streaming the body back. */
async function application() {
  const server = createHttpServer((request, response) => {
    response.setHeader('x-seen', String(request.headers['x-in'] ?? ''))
    response.flushHeaders()
    request.pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

test('both pipelines stand before API and application, in their orders', async () => {
  const closed: string[] = []
  const { url, runtime } = await sidecar({
    configPaths: [await pipelines(['a', 'b'], ['b', 'c'])],
    definitions: [tagging(closed)],
    resources: ['a', 'b', 'c'].map((name) => component(name)),
    appPort: await application(),
  })
  const answer = await fetch(`${url}/v1.0/invoke/shop/method/echo`, { method: 'POST', body: 'hi' })
  expect([answer.status, await answer.text()]).toEqual([200, 'hi'])
  expect(answer.headers.get('x-seen')).toBe('a, b, b, c')
  expect(answer.headers.get('x-out')).toBe('c, b, b, a')

  const refused = await fetch(`${url}/v1.0/invoke/shop/method/echo?refuse=b`)
  expect([refused.status, await refused.text(), refused.headers.get('x-out')]).toEqual([
    401,
    'refused by b',
    'a',
  ])
  const byApp = await fetch(`${url}/v1.0/invoke/shop/method/echo?refuse=c`)
  expect([byApp.status, await byApp.text(), byApp.headers.get('x-out')]).toEqual([
    401,
    'refused by c',
    'b, b, a',
  ])

  const health = await fetch(`${url}/v1.0/healthz`)
  expect([health.status, health.headers.get('x-out')]).toEqual([204, 'b, a'])
  expect(runtime.addresses.http).toHaveLength(1)
  await runtime.stop()
  expect(closed.toSorted()).toEqual(['a', 'b', 'c'])
})

test('a body streams through both, each chunk before the next is sent', async () => {
  const { url } = await sidecar({
    configPaths: [await pipelines(['a'], ['a'])],
    definitions: [tagging()],
    resources: [component('a')],
    appPort: await application(),
  })
  const call = httpRequest(`${url}/v1.0/invoke/shop/method/echo?upper`, { method: 'POST' })
  call.write('one')
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  let text = ''
  response.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await waitFor(() => text === 'ONE', { what: 'the first chunk to come back' })
  call.write('two')
  await waitFor(() => text === 'ONETWO', { what: 'the second chunk to come back' })
  call.end()
  await once(response, 'end')
})

test('the token is asked for first, and not shown to the middleware', async () => {
  const { url } = await sidecar({
    configPaths: [await pipelines(['a'], [])],
    definitions: [tagging()],
    resources: [component('a')],
    env: { DAPR_API_TOKEN: 'secret' },
  })
  const refused = await fetch(`${url}/v1.0/metadata`)
  expect([refused.status, refused.headers.get('x-out')]).toEqual([401, null])
  const passed = await fetch(`${url}/v1.0/metadata`, { headers: { 'dapr-api-token': 'secret' } })
  expect([passed.status, passed.headers.get('x-out')]).toEqual([200, 'a'])
})

test('handlers without their component keep the runtime from starting', async () => {
  const file = await config(`  httpPipeline:
    handlers:
      - {name: authh, type: middleware.http.tag}
      - {name: auth, type: middleware.http.other}
  appHttpPipeline:
    handlers:
      - {name: auth, type: middleware.http.tag, version: v2}
`)
  const closed: string[] = []
  const runtime = createRuntime({
    appId: 'shop',
    logger: recordingLogger(),
    configPaths: [file],
    definitions: [tagging(closed)],
    resources: [component('auth')],
  })
  const error = await runtime.start().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(StartupError)
  expect((error as StartupError).lines).toEqual([
    `${file}:8: Configuration "c": spec.httpPipeline.handlers[0] names the component "authh", which was not loaded (did you mean auth?): add a Component of that name and of the type middleware.http.tag, or remove the handler`,
    `${file}:9: Configuration "c": spec.httpPipeline.handlers[1] names the component "auth" with the type middleware.http.other, and that one is a middleware.http.tag: correct one of them`,
    `${file}:12: Configuration "c": spec.appHttpPipeline.handlers[0] names the component "auth" with the version v2, and that one has v1: correct one of them`,
  ])
  expect(closed).toEqual(['auth'])
})
