import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cases } from '../../interop/cases.ts'
import { selfSigned } from '../../interop/certificate.ts'
import { callOurs, proxyTo, type OurServer } from '../../interop/ours.ts'
import { peers, type Peer, type PeerName } from '../../interop/peers.ts'
import type { Caller, Certificate, Server } from '../../interop/peer.ts'
import { describePeers } from './describe-peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'grpc-interop-'))
afterAll(() => rmSync(folder, { recursive: true }))
let certificate: Certificate
beforeAll(() => {
  certificate = selfSigned(folder)
})

const others = ['grpc-js', 'connect-node', 'grpc-go', 'grpc-java'] as const

// The others among themselves: each once as client and once as server, so that the cases themselves are right.
for (const [index, client] of others.entries()) pair(client, others[(index + 1) % others.length]!, false)

// And with us between them, who know none of their methods.
for (const [index, client] of others.entries())
  pair(client, others[(index + 3) % others.length]!, false, true)

for (const secure of [false, true]) {
  pair('ours', 'ours', secure)
  for (const other of others) {
    pair(other, 'ours', secure)
    pair('ours', other, secure)
  }
}

function pair(client: PeerName, server: PeerName, secure: boolean, proxied = false): void {
  const from: Peer = peers[client]
  const to: Peer = peers[server]
  const name = `${client} calls ${server} (${secure ? 'TLS' : 'h2c'})${proxied ? ' through us' : ''}`
  describePeers(name, from.missing ?? to.missing, () => body(from, to, secure, proxied))
}

function body(client: Peer, server: Peer, secure: boolean, proxied: boolean): void {
  let running: Server | undefined
  let proxy: Server | undefined
  let caller: Caller | undefined
  let results: ReadonlyMap<string, string> | undefined

  beforeAll(async () => {
    running = await server.serve(secure ? certificate : undefined)
    if (proxied) proxy = await proxyTo(running.port)
    const address = { port: (proxy ?? running).port, certificate: secure ? certificate : undefined }
    caller = client.call?.(address)
    results = await client.callAll?.(address)
  }, 300_000)
  afterAll(async () => {
    caller?.close()
    await proxy?.close()
    await running?.close()
  })

  it.each(Object.entries(cases))('%s', async (name, run) => {
    if (results !== undefined) expect(results.get(name)).toBe('')
    else await run(caller!)
  })

  if (client.callAll !== undefined) {
    it('knows no other cases', () => expect([...results!.keys()]).toEqual(Object.keys(cases)))
  }
  if (server === peers.ours) {
    it('takes one connection, with gzip one more at most, and compressed requests', () => {
      const { connections, encodings } = running as OurServer
      expect(connections()).toBeLessThanOrEqual(2)
      expect(encodings).toContain('gzip')
    })
  }
}

// These end connections of clients that ask too often whether they live.
for (const name of ['grpc-go', 'grpc-java'] as const) {
  describePeers(`${name} and a silent stream`, peers[name].missing, () => {
    let server: Server | undefined
    afterAll(() => server?.close())

    it('bears how often we ask whether it lives', async () => {
      server = await peers[name].serve()
      const caller = callOurs({ port: server.port, certificate: undefined }, { pingAfterMs: 20 })
      const { promise: gate, resolve: open } = Promise.withResolvers<void>()
      async function* requests(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('first')
        await gate
        yield Buffer.from('last')
      }
      const call = caller.call('Bidi', requests())
      const found: string[] = []
      for await (const message of call.messages) {
        found.push(Buffer.from(message).toString())
        // Time for many questions.
        setTimeout(() => open(), 500)
      }
      caller.close()
      expect(found).toEqual(['first', 'last'])
    }, 300_000)
  })
}
