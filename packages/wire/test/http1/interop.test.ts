import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request as nodeRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Client, Handler } from '../../src/index.ts'
import { findProgram, mustRun, selfSigned } from '../http2/setup.ts'
import { cleanup, client, serve, text, until } from '../setup.ts'

const run = promisify(execFile)
const pair = selfSigned()
const large = 3_000_000

/** Does what a request's path says: what the clients below ask of our server. */
const handler: Handler = async (request, response) => {
  switch (request.path) {
    case '/echo':
      return response.send(200, ['x-method', request.method], await request.body.bytes())
    case '/large':
      return response.send(200, [], new Uint8Array(large).fill(120))
    case '/stream': {
      const writer = response.start(200, ['content-type', 'text/plain'])
      for (let index = 0; index < 100; index++) await writer.write(`${index} `)
      return writer.end(['x-sum', '100'])
    }
    case '/mirror': {
      request.body.limit = Infinity
      const writer = response.start(200)
      for await (const chunk of request.body) await writer.write(chunk)
      return writer.end()
    }
    case '/nothing':
      return response.send(204)
    default:
      return response.send(404, [], request.path)
  }
}
const counted = Array.from({ length: 100 }, (_, index) => `${index} `).join('')

async function body(incoming: IncomingMessage): Promise<string> {
  let all = ''
  incoming.setEncoding('latin1')
  for await (const chunk of incoming) all += chunk
  return all
}

describe('our server with fetch (undici)', () => {
  it('answers, streams both ways, keeps its connections', async () => {
    const { origin, server } = await serve(handler)
    for (let round = 0; round < 20; round++) {
      expect(await (await fetch(`${origin}/echo`, { method: 'POST', body: `x${round}` })).text()).toBe(
        `x${round}`,
      )
    }
    expect(server.stats.connectionsTotal).toBeLessThan(5)
    expect((await (await fetch(`${origin}/large`)).arrayBuffer()).byteLength).toBe(large)
    expect(await (await fetch(`${origin}/stream`)).text()).toBe(counted)
    expect((await fetch(`${origin}/nothing`)).status).toBe(204)
    expect((await fetch(`${origin}/large`, { method: 'HEAD' })).headers.get('content-length')).toBe(
      String(large),
    )
    const up = new Response(new Uint8Array(large)).body!
    const mirror = await fetch(`${origin}/mirror`, {
      method: 'POST',
      body: up,
      duplex: 'half',
    } as RequestInit)
    expect((await mirror.arrayBuffer()).byteLength).toBe(large)
    const all = Array.from({ length: 50 }, async (_, index) => {
      const answer = await fetch(`${origin}/echo`, { method: 'PUT', body: 'y'.repeat(index * 1000) })
      return (await answer.text()).length === index * 1000
    })
    expect((await Promise.all(all)).every(Boolean)).toBe(true)
  })
})

describe('our server with node:http', () => {
  it('answers, waits for what must be expected, sends trailers', async () => {
    const { port } = await serve(handler)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    cleanup(() => agent.destroy())
    const ask = (
      path: string,
      options: object,
      send = '',
    ): Promise<{ incoming: IncomingMessage; all: string }> =>
      new Promise((resolve, reject) => {
        const outgoing = nodeRequest({ port, path, agent, ...options }, (incoming) => {
          body(incoming).then((all) => resolve({ incoming, all }), reject)
        })
        outgoing.on('error', reject)
        if ((options as { headers?: { expect?: string } }).headers?.expect === undefined) outgoing.end(send)
        else outgoing.on('continue', () => outgoing.end(send))
      })
    expect((await ask('/echo', { method: 'POST' }, 'abc')).all).toBe('abc')
    const expecting = { method: 'POST', headers: { expect: '100-continue' } }
    expect((await ask('/echo', expecting, 'waited')).all).toBe('waited')
    const { incoming, all } = await ask('/stream', {})
    expect([all, incoming.trailers]).toEqual([counted, { 'x-sum': '100' }])
    expect((await ask('/large', {})).all).toHaveLength(large)
    expect((await ask('/gone', {})).incoming.statusCode).toBe(404)
  })
})

/** The same requests of our client to some server that behaves like {@link handler}. */
async function asks(own: Client, origin: string): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const answer = await own.request({ origin, path: '/echo', method: 'POST', body: `x${round}` })
    expect([answer.status, text(await answer.body.bytes())]).toEqual([200, `x${round}`])
  }
  await until(() => own.stats.running === 0, 'the last one is over')
  expect(own.stats).toEqual({ connections: 1, idle: 1, running: 0 })
  const whole = await own.request({ origin, path: '/large' })
  expect((await whole.body.bytes()).length).toBe(large)
  const stream = await own.request({ origin, path: '/stream' })
  expect(text(await stream.body.bytes())).toBe(counted)
  const head = await own.request({ origin, path: '/large', method: 'HEAD' })
  expect([head.fields.get('content-length'), (await head.body.bytes()).length]).toEqual([String(large), 0])
  expect((await own.request({ origin, path: '/nothing' })).status).toBe(204)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < large; sent += 30_000) yield new Uint8Array(30_000)
  }
  const mirror = await own.request({ origin, path: '/mirror', method: 'POST', body: pieces() })
  let length = 0
  for await (const chunk of mirror.body) length += chunk.length
  expect(length).toBe(large)
}

describe('our client', () => {
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const path = incoming.url!
    if (path === '/echo' || path === '/mirror') incoming.pipe(outgoing)
    else if (path === '/large') {
      outgoing.writeHead(200, { 'content-length': large })
      outgoing.end(incoming.method === 'HEAD' ? undefined : 'x'.repeat(large))
    } else if (path === '/stream') {
      for (let index = 0; index < 100; index++) outgoing.write(`${index} `)
      outgoing.end()
    } else outgoing.writeHead(204).end()
  }

  it('asks node:http', async () => {
    const server = createServer(listener).listen(0, '127.0.0.1')
    cleanup(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    await asks(client(), `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })

  it.skipIf(pair === undefined)('asks node:https', async () => {
    const server = createTlsServer(pair!, listener).listen(0, '127.0.0.1')
    cleanup(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const own = client({ tls: { ca: pair!.cert, serverName: 'localhost' } })
    await asks(own, `https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })

  it('asks our server', async () => {
    const { origin } = await serve(handler)
    await asks(client(), origin)
  })
})

function tool(name: string, hint: string, tests: (path: string) => void): void {
  const found = findProgram(name, hint, ['/usr/sbin', '/usr/local/sbin'])
  const path = typeof found === 'string' ? undefined : found.path
  const title = path === undefined ? `${name} [skipped: ${found as string}]` : name
  describe.skipIf(path === undefined && !mustRun)(title, () => {
    it('is installed', () => expect(found).toHaveProperty('path'))
    tests(path ?? name)
  })
}

tool('curl', 'apt-get install curl', (curl) => {
  it('gets, uploads, streams and expects', async () => {
    const { origin } = await serve(handler, { maxBodyBytes: 10_000_000 })
    const ask = async (...args: string[]): Promise<string> =>
      (await run(curl, ['-sS', '-i', ...args], { maxBuffer: 10_000_000 })).stdout
    expect(await ask(`${origin}/stream`)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n0 1 2 [^]*99 /)
    expect(await ask('-I', `${origin}/large`)).toContain(`content-length: ${large}\r\n`)
    // Twice on one connection.
    const both = await ask('-d', 'abc', `${origin}/echo`, `${origin}/echo`)
    expect(both.match(/x-method: POST/g)).toHaveLength(2)
    const waited = await ask('-H', 'expect: 100-continue', '-d', 'x'.repeat(2000), `${origin}/echo`)
    expect(waited).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/)
    const chunked = await ask('-H', 'transfer-encoding: chunked', '-d', '@/etc/passwd', `${origin}/mirror`)
    expect(chunked).toContain('root')
    expect(await ask('-0', `${origin}/stream`)).toMatch(/connection: close\r\n\r\n0 1 2/)
    expect(await ask(`${origin}/${'p'.repeat(9_000)}`)).toMatch(/^HTTP\/1.1 414 /)
    expect(await ask('-H', `x: ${'y'.repeat(20_000)}`, `${origin}/echo`)).toMatch(/^HTTP\/1.1 431 /)
  })

  it.skipIf(pair === undefined)('speaks TLS, and a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wire-curl-'))
    cleanup(() => rmSync(folder, { recursive: true }))
    const { port } = await serve(handler, { tls: pair! })
    expect((await run(curl, ['-sSk', '-d', 'abc', `https://127.0.0.1:${port}/echo`])).stdout).toBe('abc')
    const { server } = await serve(handler)
    const path = join(folder, 'socket')
    await server.listen({ path })
    expect((await run(curl, ['-sS', '--unix-socket', path, '-d', 'abc', 'http://a/echo'])).stdout).toBe('abc')
  })
})

tool('nginx', 'apt-get install nginx-light', (nginx) => {
  /** nginx as a proxy in front of `upstream`. */
  async function inFrontOf(upstream: number): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'wire-nginx-'))
    const path = join(folder, 'nginx.socket')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ')
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
       events { worker_connections 100; }
       http {
         access_log off; ${temporary} client_max_body_size 0;
         upstream ours { server 127.0.0.1:${upstream}; keepalive 4; }
         server {
           listen unix:${path};
           location / {
             proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection "";
             proxy_request_buffering off; proxy_buffering off;
           }
         }
       }`,
    )
    const child = spawn(nginx, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    cleanup(async () => {
      child.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true })
    })
    const probe = client()
    const origin = `unix:${path}`
    let up = false
    for (const deadline = performance.now() + 20_000; !up && performance.now() < deadline;) {
      up = await probe.request({ origin, path: '/nothing' }).then(
        () => true,
        () => false,
      )
      if (!up) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(up).toBe(true)
    return origin
  }

  it('stands between our client and our server', async () => {
    const { port, server } = await serve(handler)
    const origin = await inFrontOf(port)
    const own = client()
    await asks(own, origin)
    const all = Array.from({ length: 40 }, async (_, index) => {
      const answer = await own.request({
        origin,
        path: '/echo',
        method: 'POST',
        body: 'z'.repeat(index * 500),
      })
      return (await answer.body.bytes()).length === index * 500
    })
    expect((await Promise.all(all)).every(Boolean)).toBe(true)
    expect(server.stats.refusedTotal).toBe(0)
  })
})
