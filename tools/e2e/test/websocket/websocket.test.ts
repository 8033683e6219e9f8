import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createServer, type Handler, type HandedOver, type Server } from '@outrigger/wire'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'

/** RFC 6455, section 1.3. */
const accepted = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/** The server's end of a WebSocket, on a connection that was handed over. */
function webSocketOn({ socket, head }: HandedOver): WebSocket {
  // As the server of ws does it; its types know only clients.
  const Constructor = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => object
  const end = new Constructor(null, undefined, {}) as WebSocket & {
    setSocket(socket: Socket, head: Uint8Array, options: object): void
  }
  end.setSocket(socket, Buffer.from(head), { maxPayload: 10_000_000 })
  return end
}

const handler: Handler = async (request, response) => {
  const key = request.fields.get('sec-websocket-key')
  if (request.path !== '/echo' || request.upgrade === undefined || key === undefined)
    return response.send(403, [], 'no WebSocket here')
  const own = webSocketOn(await request.upgrade.accept('websocket', ['sec-websocket-accept', accepted(key)]))
  own.on('message', (data, isBinary) => own.send(data, { binary: isBinary }))
}

let server: Server
let port: number
beforeAll(async () => {
  server = createServer({ protocols: ['http/1.1', 'h2c'] }, handler)
  port = (await server.listen({ host: '127.0.0.1', port: 0 })).port!
})
afterAll(() => server.close(AbortSignal.abort()))

const gone = (): Promise<void> => expect.poll(() => server.stats.running, { timeout: 20_000 }).toBe(0)

it('carries messages of any size both ways, and ends in order', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/echo`)
  await once(client, 'open')
  for (const message of ['hello', Buffer.alloc(200_000, 'b'), 'x'.repeat(3_000_000), '']) {
    client.send(message)
    const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean]
    expect(isBinary).toBe(typeof message !== 'string')
    expect(Buffer.from(message).equals(data)).toBe(true)
  }
  expect(server.stats.running).toBe(1)
  client.close(1000, 'done')
  const [code, reason] = (await once(client, 'close')) as [number, Buffer]
  expect([code, reason.toString()]).toEqual([1000, 'done'])
  await gone()
})

it('is gone for both when one of them is cut', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/echo`)
  await once(client, 'open')
  client.terminate()
  await gone()
})

it('is refused by an answer like any other', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/other`)
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, { statusCode: number }]
  expect(response.statusCode).toBe(403)
  client.on('error', () => {})
  client.terminate()
})

it('loses nothing of what came in one packet with the request', async () => {
  const socket = connect(port, '127.0.0.1')
  const text = Buffer.from('GET / HTTP/1.1')
  const mask = randomBytes(4)
  const frame = Buffer.concat([
    Buffer.of(0x81, 0x80 | text.length),
    mask,
    text.map((byte, index) => byte ^ mask[index % 4]!),
  ])
  const key = randomBytes(16).toString('base64')
  const fields = `host: test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}`
  socket.write(Buffer.concat([Buffer.from(`GET /echo HTTP/1.1\r\n${fields}\r\n\r\n`), frame]))
  let received = ''
  for await (const chunk of socket.setEncoding('latin1')) {
    received += chunk as string
    if (received.includes('GET / HTTP/1.1')) break
  }
  expect(received).toMatch(/^HTTP\/1\.1 101 /)
  expect(received).toContain(`sec-websocket-accept: ${accepted(key)}\r\n`)
  expect(received.endsWith(`\r\n\r\n\x81${String.fromCharCode(text.length)}${text.toString()}`)).toBe(true)
  expect(server.stats.requestsTotal).toBe(4)
  await gone()
})
