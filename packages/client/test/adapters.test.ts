import { createServer, request as httpRequest, type Server } from 'node:http'
import express from 'express'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp, type App } from '../src/app/index.ts'
import { outrigger as outriggerExpress } from '../src/express.ts'
import outriggerFastify from '../src/fastify.ts'

const maxBodyBytes = 100_000
const errors: string[] = []

function exampleApp(): { app: App; seen: unknown[] } {
  const seen: unknown[] = []
  const logger = { error: (message: string) => void errors.push(message) }
  const app = createApp({ env: {}, maxBodyBytes, logger })
  app.subscribe('bus', 'orders', ({ data }) => void seen.push(data))
  app.binding('in', ({ bytes, contentType }) => ({ bytes: bytes.length, contentType }))
  app.configuration('settings', (changes) => void seen.push(changes))
  return { app, seen }
}

type Started = { readonly url: string; stop(): Promise<unknown> }

async function listen(server: Server): Promise<Started> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    stop: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

const frameworks: Readonly<Record<string, (app: App) => Promise<Started>>> = {
  async 'Fastify 5'(app) {
    const fastify = Fastify()
    // An application has parsers of its own, before and after.
    fastify.addContentTypeParser('application/xml', { parseAs: 'string' }, (_request, body, done) =>
      done(null, { xml: body }),
    )
    await fastify.register(outriggerFastify, { app })
    fastify.addContentTypeParser('application/csv', { parseAs: 'string' }, (_request, body, done) =>
      done(null, { csv: body }),
    )
    fastify.post('/own', (request) => Promise.resolve({ got: request.body }))
    fastify.setNotFoundHandler((_request, reply) => reply.code(404).send({ own: 'not found' }))
    await fastify.listen({ port: 0, host: '127.0.0.1' })
    return {
      url: `http://127.0.0.1:${(fastify.server.address() as { port: number }).port}`,
      stop: () => {
        fastify.server.closeAllConnections()
        return fastify.close()
      },
    }
  },
  async 'Express 5'(app) {
    const server = express()
    server.use(outriggerExpress(app))
    server.use(express.json(), express.text({ type: ['application/xml', 'application/csv'] }))
    server.post('/own', (request, response) => void response.json({ got: request.body as unknown }))
    server.use((_request, response) => void response.status(404).json({ own: 'not found' }))
    return listen(createServer(server))
  },
  async 'Express 5, behind its parsers'(app) {
    const server = express()
    server.use(express.json(), express.raw({ type: 'application/octet-stream' }))
    server.use(express.text({ type: ['application/xml', 'application/csv'] }))
    server.use(outriggerExpress(app))
    server.post('/own', (request, response) => void response.json({ got: request.body as unknown }))
    server.use((_request, response) => void response.status(404).json({ own: 'not found' }))
    return listen(createServer(server))
  },
}

describe.each(Object.keys(frameworks))('%s', (name) => {
  const { app, seen } = exampleApp()
  let started: Started
  beforeAll(async () => {
    started = await frameworks[name]!(app)
  })
  afterAll(() => started.stop())

  const post = (path: string, type: string, body: string | Uint8Array): Promise<Response> =>
    fetch(started.url + path, { method: 'POST', headers: { 'content-type': type }, body: body as string })

  test('serves what the sidecar asks for', async () => {
    const subscribe = await fetch(`${started.url}/dapr/subscribe`)
    expect(subscribe.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await subscribe.json()).toEqual([
      { pubsubname: 'bus', topic: 'orders', route: '/outrigger/bus/orders' },
    ])
    expect(await (await fetch(`${started.url}/dapr/config?x=1`)).json()).toEqual({ entities: [] })
    expect((await fetch(`${started.url}/in`, { method: 'OPTIONS' })).status).toBe(204)
  })

  test('events, whatever they are called', async () => {
    const event = (data: unknown): string =>
      JSON.stringify({ specversion: '1.0', id: '1', type: 't', source: 's', data })
    const types = [
      'application/cloudevents+json',
      'application/cloudevents+json; charset=utf-8',
      'application/json',
    ]
    for (const type of types)
      expect(await (await post('/outrigger/bus/orders', type, event({ by: type }))).json()).toEqual({
        status: 'SUCCESS',
      })
    expect(
      await (await post('/outrigger/bus/orders', 'application/octet-stream', Buffer.from([0, 255]))).json(),
    ).toEqual({ status: 'SUCCESS' })
    expect(seen.splice(0)).toEqual([...types.map((by) => ({ by })), Buffer.from([0, 255])])
  })

  test('bindings of all types, without a body as well', async () => {
    expect(await (await post('/in', 'image/png', Buffer.alloc(5))).json()).toEqual({
      bytes: 5,
      contentType: 'image/png',
    })
    expect(await (await fetch(`${started.url}/in`, { method: 'POST' })).json()).toEqual({ bytes: 0 })
  })

  test('changes of configuration, with slashes in keys', async () => {
    const body = JSON.stringify({ id: '1', items: { 'a/b': { value: 'x' } } })
    expect((await post('/configuration/settings/a/b', 'application/json', body)).status).toBe(204)
    expect(seen.splice(0)).toEqual([{ 'a/b': { value: 'x', version: '', metadata: {} } }])
  })

  test('a body that is too large is refused, announced or not', async () => {
    expect((await post('/in', 'image/png', Buffer.alloc(maxBodyBytes))).status).toBe(200)
    const announced = await post('/in', 'image/png', Buffer.alloc(maxBodyBytes + 1))
    expect(announced.status).toBe(413)
    const status = await new Promise<number>((resolve, reject) => {
      const sending = httpRequest(`${started.url}/in`, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
      })
      sending.once('response', (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      // It is cut while it is still sending, but not before it was answered.
      sending.on('error', (error) => reject(error))
      for (let sent = 0; sent <= maxBodyBytes; sent += 50_000) sending.write(Buffer.alloc(50_000))
    })
    expect(status).toBe(413)
  })

  test('routes of the framework are its own', async () => {
    expect(await (await post('/own', 'application/json', '{"n":1}')).json()).toEqual({ got: { n: 1 } })
    const xml = (await (await post('/own', 'application/xml', '<a/>')).json()) as { got: unknown }
    expect(xml.got).toEqual(name.startsWith('Fastify') ? { xml: '<a/>' } : '<a/>')
    const csv = (await (await post('/own', 'application/csv', 'a,b')).json()) as { got: unknown }
    expect(csv.got).toEqual(name.startsWith('Fastify') ? { csv: 'a,b' } : 'a,b')
    for (const path of ['/nosuch', '/outrigger/bus/nosuch', '/configuration'])
      expect(await (await post(path, 'application/json', '{}')).json()).toEqual({ own: 'not found' })
  })
})

describe('Fastify', () => {
  test('the plugin makes an app of its own, whose handlers may come until the server is ready', async () => {
    const lines: string[] = []
    const fastify = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } })
    await fastify.register(outriggerFastify, { env: {}, apiToken: 'sesame' })
    fastify.outrigger.subscribe('bus', 'orders', () => {
      throw new Error('it broke')
    })
    // A plugin further in sees it too.
    await fastify.register(async (inner) => inner.outrigger.binding('in', () => 'yes'))
    const headers = { 'dapr-api-token': 'sesame' }
    const answer = await fastify.inject({
      method: 'POST',
      url: '/outrigger/bus/orders',
      headers,
      payload: { specversion: '1.0', type: 't' },
    })
    expect(answer.json()).toEqual({ status: 'RETRY' })
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({
        level: 50,
        msg: 'a handler of messages failed; the message is to be delivered again',
        topic: 'orders',
        err: expect.objectContaining({ message: 'it broke' }),
      }),
    )
    expect((await fastify.inject({ method: 'POST', url: '/in', headers })).json()).toBe('yes')
    expect((await fastify.inject({ method: 'POST', url: '/in' })).statusCode).toBe(401)
    await fastify.close()
  })
})
