import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { readFrames } from '../../src/grpc/framing.ts'
import type { Body } from '../../src/index.ts'
import { until } from '../setup.ts'
import { block, frame, Peer, requestFields } from './peer.ts'
import { serve } from './setup.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use behind several collections: what finalizers free is gone too. */
async function used(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

it('holds many connections with open streams, and gives their memory back', async () => {
  const connections = 200
  const streams = 10
  const release: (() => void)[] = []
  const running = await serve(async (_, response) => {
    await new Promise<void>((resolve) => release.push(resolve))
    response.send(204)
  })
  const requests = Array.from({ length: streams }, (_, index) =>
    frame('HEADERS', 5, index * 2 + 1, block(requestFields)),
  )
  const round = async (): Promise<{ idle: number; busy: number; left: number }> => {
    const start = await used()
    const peers: Peer[] = []
    for (let count = 0; count < connections; count++)
      peers.push(new Peer(connect(running.port, '127.0.0.1'), false).begin())
    await Promise.all(
      peers.map((peer) => peer.until(({ type, flags }) => type === 'SETTINGS' && flags === 1)),
    )
    const idle = (await used()) - start
    for (const peer of peers) peer.socket.write(Buffer.concat(requests))
    await until(() => release.length === connections * streams, 'all streams are open')
    const busy = (await used()) - start
    for (const resume of release.splice(0)) resume()
    const ended = ({ frames }: Peer): boolean =>
      frames.filter(({ type }) => type === 'HEADERS').length === streams
    await until(() => peers.every(ended), 'all streams are answered')
    for (const peer of peers) peer.socket.destroy()
    await until(() => running.server.stats.connections === 0, 'all connections are gone')
    peers.length = 0
    return { idle, busy, left: (await used()) - start }
  }
  await round()
  const { idle, busy, left } = await round()
  // Both ends are in this process, the other end with its own sockets, frames and decoder.
  console.log(
    `HTTP/2, both ends: ${Math.round(idle / connections)} bytes an idle connection, ` +
      `${Math.round((busy - idle) / connections / streams)} an open stream, ${Math.round(left / connections)} left`,
  )
  expect(idle / connections).toBeLessThan(40_000)
  expect((busy - idle) / connections / streams).toBeLessThan(4_000)
  expect(left / connections).toBeLessThan(2_000)
})

it.each<[string, number, (body: Body) => Promise<unknown>]>([
  ['read whole', 300_000, (body) => body.bytes()],
  ['read as frames of gRPC', 300_000, (body) => readFrames(body, 2 ** 20).next()],
  ['not read', 65_535, () => new Promise(() => {})],
])('a body that comes byte by byte, and is %s, costs little more than its bytes', async (_, count, read) => {
  const bodies: Body[] = []
  const running = await serve((request) => {
    bodies.push(request.body)
    return read(request.body).then(() => {})
  })
  const peer = new Peer(connect(running.port, '127.0.0.1'), false).begin()
  peer.socket.write(frame('HEADERS', 4, 1, block(requestFields)))
  await until(() => bodies.length === 1, 'the request is there')
  const start = await used()
  const window = (): number =>
    peer.frames
      .filter(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_535)
  // A message of gRPC that is longer than what comes of it.
  peer.socket.write(frame('DATA', 0, 1, Buffer.of(0, 0, 15, 0, 0)))
  const one = frame('DATA', 0, 1, Buffer.of(7))
  let sent = 5
  while (sent < count) {
    const some = Math.min(window(), count, sent + 4096) - sent
    peer.socket.write(Buffer.concat(Array<Buffer>(some).fill(one)))
    sent += some
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => peer.socket.writableLength === 0, 'all is sent')
  const cost = (await used()) - start
  console.log(`HTTP/2: ${(cost / sent).toFixed(1)} bytes of memory for each that came alone`)
  expect(cost / sent).toBeLessThan(30)
  peer.socket.destroy()
})
