import { describe, expect, it } from 'vitest'
import { createGrpcHandler, GrpcChannel, isGrpcError, rawCodec } from '../../src/grpc/index.ts'
import { createHttp2Client } from '../../src/http2/index.ts'
import { createClient, isWireError } from '../../src/index.ts'
import type { Client, Handler, ServerOptions, TlsOptions } from '../../src/index.ts'
import { mustRun, selfSigned } from '../http2/setup.ts'
import { cleanup, serve, text, until } from '../setup.ts'
import { http2Frames, lines, Relay, tlsRecords } from './relay.ts'
import type { Boundaries, Cut, Direction, Manner } from './relay.ts'

const pair = selfSigned()
const tls: TlsOptions = { cert: pair?.cert ?? '', key: pair?.key ?? '', ca: pair?.cert ?? '' }
const whole = 'one two three '

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (const piece of ['one ', 'two ', 'three ']) {
    yield Buffer.from(piece)
    await new Promise(setImmediate)
  }
}

const echo: Handler = async (request, response) => {
  const writer = response.start(200, ['x-more', 'yes'])
  for await (const chunk of request.body) await writer.write(chunk)
  writer.end(['x-end', 'reached'])
}

async function exchange(client: Client, origin: string): Promise<string> {
  const answer = await client.request({ origin, method: 'POST', path: '/echo', body: pieces() })
  const body = text(await answer.body.bytes())
  return answer.trailers?.get('x-end') === 'reached' ? body : `${body} without end`
}

const method = { path: '/test.Echo/Bidi', kind: 'bidi' as const, input: rawCodec, output: rawCodec }
const grpcEcho = createGrpcHandler({
  routes: [{ method, handle: (requests: AsyncIterable<Uint8Array>) => requests }],
})

async function call(client: Client, origin: string): Promise<string> {
  let received = ''
  for await (const message of new GrpcChannel({ origin, client }).stream(method, pieces()))
    received += text(message)
  return received
}

interface Case {
  readonly name: string
  readonly secure?: boolean
  readonly protocols: NonNullable<ServerOptions['protocols']>
  readonly boundaries: Boundaries
  readonly handler?: Handler
  client(): Client
  readonly run: (client: Client, origin: string) => Promise<string>
}

const http1 = { protocols: ['http/1.1'], handler: echo, run: exchange } as const
const http2 = { protocols: ['h2', 'h2c'], handler: echo, run: exchange } as const
const cases: readonly Case[] = [
  { name: 'HTTP/1.1', ...http1, boundaries: lines, client: () => createClient() },
  {
    name: 'HTTP/1.1 over TLS',
    ...http1,
    secure: true,
    boundaries: tlsRecords,
    client: () => createClient({ tls }),
  },
  { name: 'HTTP/2', ...http2, boundaries: http2Frames, client: () => createHttp2Client() },
  {
    name: 'HTTP/2 over TLS',
    ...http2,
    secure: true,
    boundaries: tlsRecords,
    client: () => createHttp2Client({ tls }),
  },
  {
    name: 'gRPC',
    protocols: ['h2c'],
    boundaries: http2Frames,
    handler: grpcEcho,
    client: () => createHttp2Client(),
    run: call,
  },
]

const directions: readonly Direction[] = ['up', 'down']
const manners: readonly Manner[] = ['RST', 'FIN', 'half']

describe.each(cases)('$name cut at, before and behind every frame', (each) => {
  if (each.secure === true && pair === undefined && !mustRun) return it.skip('needs openssl', () => {})

  it.each(manners)('by %s leaves no promise, no socket and no handler behind', async (manner) => {
    let begun = 0
    let ended = 0
    const counting: Handler = async (request, response) => {
      begun++
      try {
        await each.handler!(request, response)
      } finally {
        ended++
      }
    }
    // Until its time is over nobody hears of the end of a handshake.
    const options = each.secure === true ? { tls, headerTimeoutMs: 250 } : {}
    const { server, port } = await serve(counting, { ...options, protocols: each.protocols, onError() {} })
    const relay = new Relay(port, each.boundaries)
    const origin = `${each.secure === true ? 'https' : 'http'}://127.0.0.1:${await relay.listen()}`
    cleanup(() => relay.close())

    const outcome = async (cut: Cut | undefined): Promise<unknown> => {
      relay.cut = cut
      const client = each.client()
      try {
        return await each.run(client, origin)
      } catch (error) {
        return error
      } finally {
        await until(() => client.stats.running === 0, `the client forgets it: ${JSON.stringify(cut)}`)
        client.close()
        const gone = (): boolean => server.stats.connections + server.stats.running + relay.connections === 0
        await until(gone, `the connections end: ${JSON.stringify(cut)}`)
      }
    }
    expect(await outcome(undefined)).toBe(whole)
    const seen = { ...relay.seen }
    let failed = 0
    for (const direction of directions) {
      expect(seen[direction]).toBeGreaterThan(3)
      for (let index = 0; index < seen[direction]; index++) {
        for (const offset of [-1, 0, 1]) {
          const result = await outcome({ direction, index, offset, manner })
          const cut = `${direction} at ${index}${offset < 0 ? '' : '+'}${offset}: ${String(result)}`
          // Behind the last byte that matters it may succeed; otherwise it says that it did not.
          if (result === whole) continue
          expect(isWireError(result) || isGrpcError(result), cut).toBe(true)
          failed++
        }
      }
    }
    expect(failed).toBeGreaterThan(10)
    await until(() => ended === begun, 'all handlers have come to an end')
    expect(await outcome(undefined)).toBe(whole)
  })
})
