import { describe, expect, it } from 'vitest'
import { createHttp2Client } from '../src/http2/client.ts'
import { isWireError, type Client } from '../src/index.ts'
import { cleanup, client, serve, text } from './setup.ts'

function http2(): Client {
  const own = createHttp2Client()
  cleanup(() => own.close())
  return own
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of texts) yield Buffer.from(piece)
}

describe.each([
  ['HTTP/1.1', client],
  ['HTTP/2', http2],
] as const)('a stream whose length is known, over %s', (_, open) => {
  async function send(body: AsyncIterable<Uint8Array>, bodyLength: number) {
    const seen: { length: number | undefined; text: string }[] = []
    const { origin } = await serve(
      async (request, response) => {
        const { length } = request.body
        seen.push({ length, text: text(await request.body.bytes()) })
        response.send(200)
      },
      { protocols: ['http/1.1', 'h2c'] },
    )
    const own = open()
    const sent = own.request({ origin, method: 'POST', body, bodyLength })
    return { own, origin, seen, sent }
  }

  it('is announced', async () => {
    const { sent, seen, own, origin } = await send(pieces('ab', '', 'cde'), 5)
    const answer = await sent
    await answer.body.bytes()
    expect(seen).toEqual([{ length: 5, text: 'abcde' }])
    // The connection is as good as before.
    const again = await own.request({ origin, method: 'PUT', body: 'next' })
    await again.body.bytes()
    expect(seen.at(-1)).toEqual({ length: 4, text: 'next' })
  })

  it.each([
    ['longer', ['ab', 'cdef'], 5],
    ['shorter', ['ab', 'cd'], 5],
  ] as const)('breaks the request off when it is %s', async (what, texts, length) => {
    const { sent, seen } = await send(pieces(...texts), length)
    const error = await sent.catch((reason: unknown) => reason)
    expect(isWireError(error, 'PROTOCOL')).toBe(true)
    expect((error as Error).message).toContain(`${what} than the 5 bytes`)
    expect(seen).toEqual([])
  })
})
