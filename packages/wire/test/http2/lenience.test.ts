import { describe, expect, it } from 'vitest'
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
})
