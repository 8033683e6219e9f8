import { describe, expect, it } from 'vitest'
import { block, requestFields } from './peer.ts'
import { send, session } from './node-session.ts'
import { serve } from './setup.ts'

describe('a client that does more than others, but nothing wrong', () => {
  it('may open windows in small steps', async () => {
    const { origin } = await serve((_, response) => response.send(200, [], Buffer.alloc(3_000_000)))
    const found = await send(session(origin, { settings: { initialWindowSize: 700 } }), { ':path': '/' })
    expect(found.body.length).toBe(3_000_000)
  })

  it('may cancel a good part of its requests', async () => {
    const { origin, server } = await serve(async (request, response) => {
      if (request.path === '/slow') await new Promise(setImmediate)
      response.send(200, [], 'x')
    })
    const from = session(origin)
    for (let round = 0; round < 60; round++) {
      const all = Array.from({ length: 50 }, () => send(from, { ':path': '/' }))
      for (let count = 0; count < 40; count++) {
        const stream = from.request({ ':path': '/slow' })
        stream.on('error', () => {})
        stream.close(8)
      }
      await Promise.all(all)
    }
    expect(server.stats.connectionsTotal).toBe(1)
    expect(from.destroyed).toBe(false)
  })

  it('may send a path as it was typed', async () => {
    const { origin } = await serve(({ path, query }, response) => response.send(200, [], `${path} ${query}`))
    const typed = Buffer.from('/grüß?ü').toString('latin1')
    const found = await send(session(origin), { ':path': typed })
    expect(found.body.toString()).toBe('/gr%C3%BC%C3%9F %C3%BC')
  })

  it('may put blanks around values, which are taken off', async () => {
    const { peer } = await serve(({ fields }, response) =>
      response.send(200, ['x-seen', JSON.stringify(fields.get('x-own'))]),
    )
    const from = peer().begin()
    const values = [' a', 'a b\t', '  ', ' a\u00a0 ', 'a']
    for (const [index, value] of values.entries()) {
      from.send('HEADERS', 5, 1 + 2 * index, block([...requestFields, ['x-own', value]]))
    }
    const seen: string[] = []
    for (const index of values.keys()) {
      const frame = await from.until(({ type, stream }) => type === 'HEADERS' && stream === 1 + 2 * index)
      seen.push(...from.fields(frame).filter((field) => field.startsWith('x-seen')))
    }
    expect(seen).toEqual(['"a"', '"a b"', '""', '"a\u00a0"', '"a"'].map((text) => `x-seen: ${text}`))
  })
})
