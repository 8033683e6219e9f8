import { afterEach, describe, expect, it } from 'vitest'
import { GrpcChannel, type GrpcMethod } from '@outrigger/wire/grpc'
import { createHttp2Client } from '../../../../packages/wire/src/http2/client.ts'
import { go, java } from '../../interop/programs.ts'
import { decodeBytes, encodeBytes, pathOf } from '../../interop/peer.ts'

const codec = { encode: encodeBytes, decode: decodeBytes }
const bidi: GrpcMethod<Uint8Array, Uint8Array> = {
  path: pathOf('Bidi'),
  kind: 'bidi',
  input: codec,
  output: codec,
}
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

// These servers end connections of clients that ask too often whether they live.
for (const [name, program] of Object.entries({ 'grpc-go': go, 'grpc-java': java })) {
  const { missing } = program
  const required = process.env['OUTRIGGER_REQUIRE_SERVICES'] === '1'
  const text = missing === undefined || required ? name : `${name} [skipped: ${missing}]`
  describe.skipIf(missing !== undefined && !required)(text, () => {
    it('keeps a stream on which nothing is said', { timeout: 300_000 }, async () => {
      const server = await program.serve()
      cleanups.push(() => server.close())
      const client = createHttp2Client({ pingAfterMs: 20, pingTimeoutMs: 10_000 })
      cleanups.push(() => client.close())
      const channel = new GrpcChannel({ origin: `http://127.0.0.1:${server.port}`, client })
      const { promise: gate, resolve: open } = Promise.withResolvers<void>()
      async function* requests(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('first')
        await gate
        yield Buffer.from('last')
      }
      const found: string[] = []
      for await (const message of channel.stream(bidi, requests())) {
        found.push(Buffer.from(message).toString())
        // Time for many questions.
        setTimeout(() => open(), 500)
      }
      expect(found).toEqual(['first', 'last'])
    })
  })
}
