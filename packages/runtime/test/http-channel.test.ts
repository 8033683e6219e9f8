import { createServer as createTcpServer } from 'node:net'
import { createServer } from '@outrigger/wire'
import type { Handler, Server } from '@outrigger/wire'
import { freePort, recordingLogger, virtualClock, waitFor } from '@outrigger/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { AppBusyError } from '../src/app/channel.ts'
import type { AppResponse, HttpAppChannel } from '../src/app/channel.ts'
import { createHttpChannel } from '../src/app/http-channel.ts'
import type { HttpChannelOptions } from '../src/app/http-channel.ts'
import { waitForPort } from '../src/app/wait-for-port.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function setUp(handler: Handler, options: Partial<HttpChannelOptions> = {}): Promise<HttpAppChannel> {
  const server: Server = createServer({}, handler)
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => server.close(AbortSignal.abort()))
  const channel = createHttpChannel({ host: '127.0.0.1', port: port!, secure: false, ...options })
  closing.push(() => channel.close())
  return channel
}

const text = async (response: AppResponse): Promise<string> =>
  Buffer.from(await response.body.bytes()).toString()

describe('http channel', () => {
  it('passes request and answer on, without the fields of one connection, and shows its token', async () => {
    const channel = await setUp(
      async (request, response) => {
        const seen = Object.fromEntries(request.fields)
        const body = Buffer.from(await request.body.bytes()).toString()
        const { method, path, query } = request
        response.send(
          201,
          ['x-answer', '1', 'keep-alive', 'timeout=9'],
          JSON.stringify({ seen, body, method, path, query }),
        )
      },
      { appApiToken: 'secret' },
    )
    const fields = [
      'x-a',
      '1',
      'connection',
      'x-private',
      'x-private',
      '2',
      'te',
      'trailers',
      'dapr-api-token',
      'forged',
    ]
    const response = await channel.call({
      method: 'PUT',
      path: '/a%20b?c=d',
      fields,
      body: Buffer.from('data'),
    })
    expect(response.status).toBe(201)
    expect(response.fields.get('x-answer')).toBe('1')
    expect(response.fields.has('keep-alive')).toBe(false)
    const got = JSON.parse(await text(response)) as { seen: Record<string, string> }
    expect(got).toMatchObject({ body: 'data', method: 'PUT', path: '/a%20b', query: 'c=d' })
    expect(got.seen).toMatchObject({ 'x-a': '1', 'dapr-api-token': 'secret' })
    expect(Object.keys(got.seen)).not.toEqual(expect.arrayContaining(['x-private']))
    expect(got.seen).not.toHaveProperty('te')
  })

  it('holds calls back until the answer before was read', async () => {
    let running = 0
    let most = 0
    const channel = await setUp(
      async (_request, response) => {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        response.send(200, [], 'ok')
      },
      { maxConcurrency: 2, maxWaiting: 3 },
    )
    const get = (): Promise<AppResponse> => channel.call({ method: 'GET', path: '/' })
    const [first, second] = await Promise.all([get(), get()])
    const waiting = [get(), get(), get()]
    await expect(get()).rejects.toBeInstanceOf(AppBusyError)
    const probe = await channel.call({ method: 'GET', path: '/', unlimited: true })
    expect(await text(probe)).toBe('ok')
    first.body.cancel()
    expect(await text(second)).toBe('ok')
    for (const one of waiting) expect(await text(await one)).toBe('ok')
    expect(most).toBeLessThanOrEqual(2)
    const leaving = new AbortController()
    await channel.call({ method: 'GET', path: '/', signal: leaving.signal })
    await channel.call({ method: 'GET', path: '/', signal: leaving.signal })
    const next = get()
    leaving.abort()
    expect(await text(await next)).toBe('ok')
  })

  it('tells when nobody listens', async () => {
    const port = await freePort()
    const channel = createHttpChannel({ host: '127.0.0.1', port, secure: false })
    await expect(channel.call({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'CONNECT' })
    channel.close()
    expect(createHttpChannel({ host: '::1', port: 80, secure: false }).address).toBe('http://[::1]:80')
  })
})

describe('waitForPort', () => {
  it('waits until somebody listens, and says so', async () => {
    const port = await freePort()
    const [clock, logger] = [virtualClock(), recordingLogger()]
    const waiting = waitForPort({ host: '127.0.0.1', port, clock, logger })
    await waitFor(() => clock.pending > 0)
    await clock.advance(6000)
    await waitFor(() => clock.pending > 0)
    const server = createTcpServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    await clock.advance(50)
    expect(await waiting).toBe(true)
    expect(logger.messages('info').length).toBeGreaterThan(0)
    expect(logger.messages()[0]).toBe(`waiting for the application to listen on 127.0.0.1:${port}`)
  })

  it('gives up when it is told to', async () => {
    const [port, leaving] = [await freePort(), new AbortController()]
    const clock = virtualClock()
    const waiting = waitForPort({
      host: '127.0.0.1',
      port,
      clock,
      logger: recordingLogger(),
      signal: leaving.signal,
    })
    await waitFor(() => clock.pending > 0)
    leaving.abort()
    expect(await waiting).toBe(false)
  })
})
