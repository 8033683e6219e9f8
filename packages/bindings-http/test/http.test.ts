import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createForTest } from '@outrigger/conformance'
import { fromUtf8, utf8 } from '@outrigger/kit'
import type { Binding, BindingData, BindingResponse, Metadata, OperationOptions } from '@outrigger/spec'
import { freePort, recordingLogger, virtualClock, waitFor } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'
import { echo, serve, type Seen } from './servers.ts'

async function open(properties: Metadata, extra: object = {}): Promise<Binding> {
  const binding = await createForTest(definition, { properties, ...extra })
  onTestFinished(() => binding.close())
  return binding
}

async function call(
  binding: Binding,
  operation: string,
  metadata: Metadata = {},
  data: BindingData = new Uint8Array(),
  options: OperationOptions = {},
): Promise<BindingResponse & { readonly text: string }> {
  const response = await binding.invoke!({ operation, metadata, data }, options)
  let text = ''
  if (response.data instanceof Uint8Array) text = fromUtf8(response.data)
  else if (response.data !== undefined) for await (const chunk of response.data) text += fromUtf8(chunk)
  return { ...response, text }
}

async function* stream(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield utf8(part)
}

describe('requests', () => {
  test.each(['create', 'get', 'post', 'put', 'patch', 'delete', 'options', 'trace', 'GET'])(
    '%s',
    async (operation) => {
      const binding = await open({ url: `${await serve(echo)}/base` })
      const response = await call(binding, operation, { path: '/things?x=1' }, utf8('{"n":1}'))
      const seen = JSON.parse(response.text) as Seen
      const sends = ['create', 'post', 'put', 'patch'].includes(operation)
      expect(seen).toMatchObject({
        method: operation === 'create' ? 'POST' : operation.toUpperCase(),
        url: '/base/things?x=1',
        body: sends ? '{"n":1}' : '',
      })
      expect(seen.headers['content-type']).toBe(sends ? 'application/json; charset=utf-8' : undefined)
      expect(seen.headers['content-length']).toBe(sends ? '7' : undefined)
      expect(seen.headers['transfer-encoding']).toBeUndefined()
      expect(response.metadata).toMatchObject({
        statusCode: '200',
        status: '200 OK',
        'Content-Type': 'application/json',
      })
      expect(response.contentType).toBe('application/json')
    },
  )

  test('head has the headers and no body', async () => {
    const binding = await open({
      url: await serve((_request, response) => void response.setHeader('x-count', '7').end()),
    })
    const response = await call(binding, 'head')
    expect([response.text, response.metadata!['X-Count']]).toEqual(['', '7'])
  })

  test('carry headers, the token and the trace context', async () => {
    const binding = await open({
      url: await serve(echo),
      securityToken: 't1',
      securityTokenHeader: 'Authorization: Bearer',
    })
    const { text } = await call(
      binding,
      'post',
      { 'X-Own': 'o', small: 's', 'Content-Type': 'text/plain' },
      utf8('x'),
      {
        traceparent: '00-1-2-01',
        tracestate: 'a=b',
        baggage: 'k=v',
      },
    )
    const { headers } = JSON.parse(text) as Seen
    expect(headers).toMatchObject({
      'x-own': 'o',
      'content-type': 'text/plain',
      authorization: 'Bearer t1',
      traceparent: '00-1-2-01',
      tracestate: 'a=b',
      baggage: 'k=v',
    })
    expect(headers['small']).toBeUndefined()
  })

  test('a token without a header is not sent, and that is told', async () => {
    const logger = recordingLogger()
    const binding = await open({ url: await serve(echo), securityToken: 'hidden' }, { logger })
    expect((await call(binding, 'get')).text).not.toContain('hidden')
    expect(logger.messages('warn')).toEqual([expect.stringContaining('securityTokenHeader')])
  })

  test('a body may be a stream', async () => {
    const binding = await open({ url: await serve(echo) })
    const { text } = await call(binding, 'put', {}, stream('one ', 'two'))
    expect(JSON.parse(text)).toMatchObject({ body: 'one two', headers: { 'transfer-encoding': 'chunked' } })
  })

  test('a body that breaks off fails the request', async () => {
    const binding = await open({ url: await serve(echo) })
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield utf8('half')
      throw new Error('gone')
    }
    await expect(call(binding, 'put', {}, broken())).rejects.toThrow('failed')
  })

  test('refuse what they cannot do, before anything is sent', async () => {
    let requests = 0
    const binding = await open({ url: `${await serve(() => void requests++)}/base` })
    await expect(call(binding, 'purge')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(call(binding, 'get', { path: '../other' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    await expect(call(binding, 'get', { 'X-A': 'a\r\nb' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    await expect(call(binding, 'get', { errorIfNot2XX: 'perhaps' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    expect(requests).toBe(0)
  })

  test('use a connection again, and repeat a get on one that the server closed meanwhile', async () => {
    // Answers the first request of each connection, and closes the connection at the second.
    const sockets: Socket[] = []
    let requests = 0
    const server = createServer((socket) => {
      let first = true
      sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', () => {
        requests++
        if (first) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else socket.resetAndDestroy()
        first = false
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const binding = await open({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    expect((await call(binding, 'get')).text).toBe('ok')
    expect((await call(binding, 'get')).text).toBe('ok')
    expect([requests, sockets.length]).toEqual([3, 2])
    await expect(call(binding, 'post')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect([requests, sockets.length]).toEqual([4, 2])
  })
})

describe('answers', () => {
  test.each([
    [404, 'NOT_FOUND'],
    [401, 'UNAUTHENTICATED'],
    [429, 'RESOURCE_EXHAUSTED'],
    [500, 'INTERNAL'],
    [503, 'UNAVAILABLE'],
    [304, 'FAILED_PRECONDITION'],
  ])('%i is an error unless it is told not to be', async (status, code) => {
    const url = await serve(
      (_request, response) => void response.writeHead(status).end(status === 304 ? '' : 'why'),
    )
    const strict = await open({ url })
    const message = `received status code ${status}`
    const metadata = { statusCode: String(status), Date: expect.any(String) }
    await expect(call(strict, 'get')).rejects.toMatchObject({ code, message, metadata })
    const body = status === 304 ? '' : 'why'
    const response = await call(strict, 'get', { errorIfNot2XX: 'false' })
    expect([response.text, response.metadata!['statusCode']]).toEqual([body, String(status)])
    const lenient = await open({ url, errorIfNot2XX: 'false' })
    expect((await call(lenient, 'get')).text).toBe(body)
    await expect(call(lenient, 'get', { errorIfNot2XX: 'true' })).rejects.toMatchObject({ code, message })
  })

  test('compressed by our own wish are decompressed, others left alone', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/empty') return void response.writeHead(204, { 'content-encoding': 'gzip' }).end()
      if (request.url === '/broken')
        return void response.setHeader('content-encoding', 'gzip').end('not gzip')
      response
        .setHeader('content-encoding', 'gzip')
        .end(gzipSync(`asked ${request.headers['accept-encoding']}`))
    })
    const binding = await open({ url })
    const plain = await call(binding, 'get')
    expect(plain.text).toBe('asked gzip')
    expect(plain.metadata).not.toHaveProperty('Content-Encoding')
    const raw = await binding.invoke!(
      { operation: 'get', data: new Uint8Array(), metadata: { 'Accept-Encoding': 'gzip' } },
      {},
    )
    expect(raw.metadata!['Content-Encoding']).toBe('gzip')
    expect(Buffer.from(raw.data as Uint8Array)).toEqual(gzipSync('asked gzip'))
    expect((await call(binding, 'get', { path: 'empty' })).text).toBe('')
    await expect(call(binding, 'get', { path: 'broken' })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('not gzip') as string,
    })
  })

  test('are cut off at the limit, also when they are compressed', async () => {
    const url = await serve((request, response) => {
      const body = 'x'.repeat(1_000_000)
      if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip').end(gzipSync(body))
      else response.end(body)
    })
    const logger = recordingLogger()
    const binding = await open({ url, maxResponseBodySize: '200k' }, { logger })
    expect((await call(binding, 'get')).text.length).toBe(200_000)
    expect((await call(binding, 'get', { path: 'gzip' })).text.length).toBe(200_000)
    expect(logger.messages('warn')).toHaveLength(2)
    const unlimited = await open({ url, maxResponseBodySize: '0' })
    expect((await call(unlimited, 'get')).text.length).toBe(1_000_000)
  })

  test('of a large size are handed on while they come', async () => {
    let finish: (() => void) | undefined
    const url = await serve((_request, response) => {
      response.write(Buffer.alloc(200_000))
      finish = () => response.end('end')
    })
    const binding = await open({ url })
    const { data } = await binding.invoke!({ operation: 'get', data: new Uint8Array(), metadata: {} }, {})
    finish!()
    let bytes = 0
    for await (const chunk of data as AsyncIterable<Uint8Array>) bytes += chunk.length
    expect(bytes).toBe(200_003)
  })

  test('that break off are an error', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('half')
      setImmediate(() => response.destroy())
    })
    await expect(call(await open({ url }), 'get')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('redirects', () => {
  test.each([
    [301, 'post', 'GET', ''],
    [302, 'put', 'GET', ''],
    [303, 'post', 'GET', ''],
    [302, 'head', 'HEAD', ''],
    [307, 'post', 'POST', 'body'],
    [308, 'patch', 'PATCH', 'body'],
  ])('%i after %s goes on with %s', async (status, operation, method, body) => {
    let seen: Seen | undefined
    const url = await serve((request, response) => {
      if (request.url === '/from') return void response.writeHead(status, { location: '/to?x=1' }).end()
      let text = ''
      request.on('data', (chunk) => (text += String(chunk)))
      request.on('end', () => {
        seen = { method: request.method!, url: request.url!, headers: request.headers, body: text }
        response.end()
      })
    })
    await call(await open({ url }), operation, { path: 'from', Authorization: 'a' }, utf8('body'))
    expect(seen).toMatchObject({ method, url: '/to?x=1', body, headers: { authorization: 'a' } })
    expect(seen!.headers['content-type']).toBe(body === '' ? undefined : 'application/json; charset=utf-8')
  })

  test('to another host lose their credentials', async () => {
    const other = (await serve(echo)).replace('127.0.0.1', 'localhost')
    const url = await serve((_request, response) => void response.writeHead(307, { location: other }).end())
    const binding = await open({ url, securityToken: 'hidden1', securityTokenHeader: 'X-Token' })
    const { text } = await call(
      binding,
      'post',
      { Authorization: 'hidden2', Cookie: 'hidden3', 'X-Kept': 'k' },
      utf8('b'),
    )
    expect(text).not.toContain('hidden')
    expect(JSON.parse(text)).toMatchObject({ body: 'b', headers: { 'x-kept': 'k' } })
  })

  test('come to an end', async () => {
    let requests = 0
    const url = await serve((_request, response) => {
      requests++
      response.writeHead(302, { location: '/again' }).end()
    })
    await expect(call(await open({ url }), 'get')).rejects.toMatchObject({
      message: expect.stringContaining('10 redirects') as string,
    })
    expect(requests).toBe(11)
  })

  test('that cannot be followed are an answer, or an error', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/nowhere') response.writeHead(302).end()
      else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end()
      else response.writeHead(307, { location: '/other' }).end()
    })
    const binding = await open({ url, errorIfNot2XX: 'false' })
    expect((await call(binding, 'get', { path: 'nowhere' })).metadata!['statusCode']).toBe('302')
    expect((await call(binding, 'post', { path: 'stream' }, stream('used up'))).metadata!['statusCode']).toBe(
      '307',
    )
    await expect(call(binding, 'get', { path: 'file' })).rejects.toMatchObject({
      message: expect.stringContaining('not an http URL') as string,
    })
  })
})

describe('the end of a request', () => {
  test('comes with responseTimeout, before the headers and in the body', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/body') response.write('some')
    })
    for (const path of ['headers', 'body']) {
      const clock = virtualClock()
      const binding = await open({ url, responseTimeout: '5s' }, { clock })
      let error: unknown
      call(binding, 'get', { path }).catch((caught: unknown) => {
        error = caught
      })
      await waitFor(async () => {
        await clock.advance(1000)
        return error
      })
      expect(error).toMatchObject({
        code: 'DEADLINE_EXCEEDED',
        message: expect.stringContaining('responseTimeout (5000ms)') as string,
      })
      await binding.close()
      expect(clock.pending).toBe(0)
    }
  })

  test('leaves no timer behind when it went well', async () => {
    const clock = virtualClock()
    const binding = await open({ url: await serve(echo), responseTimeout: '5s' }, { clock })
    await call(binding, 'get')
    expect(clock.pending).toBe(0)
  })

  test("comes with the caller's signal", async () => {
    let arrived: (() => void) | undefined
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const binding = await open({ url: await serve(() => arrived!()) })
    const abort = new AbortController()
    const outcome = call(binding, 'get', {}, undefined, { signal: abort.signal })
    await arrival
    abort.abort()
    await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('comes with close', async () => {
    let arrived: (() => void) | undefined
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const binding = await open({ url: await serve(() => arrived!()) })
    const outcome = call(binding, 'get')
    const failure = expect(outcome).rejects.toMatchObject({ code: 'CLOSED' })
    await arrival
    await binding.close()
    await failure
    await expect(call(binding, 'get')).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('names the server that cannot be reached, and not the path', async () => {
    const port = await freePort()
    const binding = await open({ url: `http://user:hidden@127.0.0.1:${port}/hidden` })
    const error: unknown = await call(binding, 'get', { path: '?key=hidden' }).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: `the request to http://127.0.0.1:${port} failed (ECONNREFUSED)`,
    })
  })
})
