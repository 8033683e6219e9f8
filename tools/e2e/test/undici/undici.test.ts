import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createServer, type Handler, type Server } from '@outrigger/wire'
import { Agent, fetch, Pool, type Dispatcher } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const large = 3_000_000
let hanging = 0
let aborted = 0

/** Does what the path says. */
const handler: Handler = async (incoming, response) => {
  switch (incoming.path) {
    case '/echo':
      return response.send(200, ['x-method', incoming.method], await incoming.body.bytes())
    case '/large':
      return response.send(200, [], new Uint8Array(large).fill(120))
    case '/mirror': {
      incoming.body.limit = Infinity
      const writer = response.start(200)
      for await (const chunk of incoming.body) await writer.write(chunk)
      return writer.end(['x-end', 'reached'])
    }
    case '/hang':
      hanging++
      await once(incoming.signal, 'abort')
      aborted++
      return response.abort()
    case '/refuse':
      return response.send(413, [], 'no')
    default:
      return response.send(404, [], incoming.path + (incoming.query === '' ? '' : `?${incoming.query}`))
  }
}

const folder = mkdtempSync(join(tmpdir(), 'outrigger-undici-'))
const key = join(folder, 'key.pem')
const cert = join(folder, 'cert.pem')
execFileSync(
  'openssl',
  [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'.split(' '),
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
  ],
  { stdio: 'ignore' },
)
const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }

/** The ways in which undici reaches us. */
const ways = [
  { name: 'HTTP/1.1', tls: false, h2: false, pipelining: 1 },
  { name: 'HTTP/1.1, pipelined', tls: false, h2: false, pipelining: 10 },
  { name: 'HTTP/1.1 over TLS', tls: true, h2: false, pipelining: 1 },
  { name: 'HTTP/2 over TLS', tls: true, h2: true, pipelining: 100 },
] as const

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(ways)('undici over $name', ({ tls, h2, pipelining }) => {
  let server: Server
  let pool: Pool
  let origin: string

  beforeAll(async () => {
    server = createServer({ ...(tls ? { tls: pair } : {}), protocols: ['http/1.1', 'h2', 'h2c'] }, handler)
    const bound = await server.listen({ host: '127.0.0.1', port: 0 })
    origin = `${tls ? 'https' : 'http'}://127.0.0.1:${bound.port}`
    pool = new Pool(origin, { allowH2: h2, pipelining, connections: 2, connect: { ca: pair.cert } })
  })

  afterAll(async () => {
    await pool.close()
    await server.close(AbortSignal.timeout(5_000))
  })

  const send = (path: string, options: Partial<Dispatcher.RequestOptions> = {}) =>
    pool.request({ path, method: 'GET', ...options })

  it('echoes bodies of any size, many at once, on few connections', async () => {
    const bodies = Array.from({ length: 100 }, (_, index) => 'x'.repeat(index * 97))
    const answers = await Promise.all(
      bodies.map(async (body) => (await send('/echo', { method: 'PUT', body })).body.text()),
    )
    expect(answers).toEqual(bodies)
    expect(server.stats.connectionsTotal).toBeLessThanOrEqual(2)
  })

  it('streams up and down at once', async () => {
    const pieces = Array.from({ length: 300 }, () => Buffer.alloc(10_000, 'x'))
    const answer = await send('/mirror', { method: 'POST', body: Readable.from(pieces) })
    let total = 0
    for await (const piece of answer.body) total += (piece as Buffer).length
    expect(total).toBe(large)
    if (!h2) expect(answer.trailers).toEqual({ 'x-end': 'reached' })
  })

  it('reads large answers, none, and those to HEAD', async () => {
    expect((await (await send('/large')).body.arrayBuffer()).byteLength).toBe(large)
    const head = await send('/large', { method: 'HEAD' })
    expect(head.headers['content-length']).toBe(String(large))
    expect(await head.body.text()).toBe('')
    const { statusCode, body } = await send('/none/%C3%BC?q=a%20b')
    expect([statusCode, await body.text()]).toEqual([404, '/none/%C3%BC?q=a%20b'])
  })

  it('is answered before its body has ended, and goes on', async () => {
    const answer = await send('/refuse', { method: 'POST', body: Buffer.alloc(100_000) })
    expect([answer.statusCode, await answer.body.text()]).toEqual([413, 'no'])
    expect(await (await send('/echo', { method: 'POST', body: 'next' })).body.text()).toBe('next')
  })

  it('is seen to give up, and goes on', async () => {
    const [hung, gone] = [hanging, aborted]
    const stop = new AbortController()
    const answer = send('/hang', { signal: stop.signal })
    while (hanging === hung) await new Promise(setImmediate)
    stop.abort()
    await expect(answer).rejects.toHaveProperty('name', 'AbortError')
    while (aborted === gone) await new Promise(setImmediate)
    expect(await (await send('/echo', { method: 'POST', body: 'next' })).body.text()).toBe('next')
  })

  it('is served as fetch as well', async () => {
    const dispatcher = new Agent({ allowH2: h2, connect: { ca: pair.cert } })
    const answer = await fetch(`${origin}/echo`, { method: 'POST', body: 'hello', dispatcher })
    expect([answer.headers.get('x-method'), await answer.text()]).toEqual(['POST', 'hello'])
    await dispatcher.close()
  })
})
