import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { until } from '../setup.ts'
import { block, frame, number, Peer, requestFields } from './peer.ts'
import { client, serve } from './setup.ts'

/** Repeatable numbers (mulberry32). */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) % 4294967296) % below
  }
}

const types = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
  'x',
]

/** A conversation that makes sense in parts. */
function conversation(next: (below: number) => number): Buffer {
  const frames: Buffer[] = [frame('SETTINGS', 0, 0)]
  let stream = 1
  for (let count = 1 + next(25); count > 0; count--) {
    const kind = next(10)
    if (kind < 4) {
      frames.push(frame('HEADERS', next(4) === 0 ? 5 : 4, stream, block(requestFields)))
      stream += 2
    } else if (kind < 6)
      frames.push(frame('DATA', next(2), Math.max(1, stream - 2), Buffer.alloc(next(300), 'd')))
    else if (kind < 7)
      frames.push(frame('RST_STREAM', 0, Math.max(1, stream - 2 * next(3)), number(next(14))))
    else if (kind < 8)
      frames.push(frame('WINDOW_UPDATE', 0, next(2) * Math.max(1, stream - 2), number(1 + next(9999))))
    else
      frames.push(
        frame(types[next(types.length)]!, next(256), next(stream + 3), Buffer.alloc(next(30), next(256))),
      )
  }
  const bytes = Buffer.concat(frames)
  for (let count = next(3); count > 0; count--) bytes[next(bytes.length)] = next(256)
  return Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), bytes])
}

// Longer by hand: FUZZ_ROUNDS=100000.
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 600)

it(`survives ${rounds} random conversations`, async () => {
  const { port, origin, server } = await serve(async (request, response) => {
    const { length } = await request.body.bytes()
    const writer = response.start(200, ['x-length', String(length)])
    await writer.write(Buffer.alloc(length, 'a'))
    writer.end(['x-end', '1'])
  })
  for (let round = 0; round < rounds; round += 20) {
    const peers = Array.from({ length: 20 }, (_, index) => {
      const next = numbers(round + index)
      const peer = new Peer(connect(port, '127.0.0.1'), false)
      const bytes = conversation(next)
      for (let at = 0; at < bytes.length;) {
        const size = 1 + next(200)
        peer.socket.write(bytes.subarray(at, at + size))
        at += size
      }
      // Asks for a sign of life: an answer, or the end.
      peer.socket.write(frame('PING', 0, 0, 'fuzzfuzz'))
      return peer
    })
    await Promise.all(
      peers.map(async (peer) => {
        // Half a frame may wait for more.
        const cut = setTimeout(() => peer.socket.destroy(), 300)
        await peer.until(({ type }) => type === 'PING').catch(() => {})
        clearTimeout(cut)
        peer.socket.destroy()
      }),
    )
  }
  await until(() => server.stats.connections === 0 && server.stats.running === 0, 'nothing is left')
  expect((await client().request({ origin })).status).toBe(200)
})
