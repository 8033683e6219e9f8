import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
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
