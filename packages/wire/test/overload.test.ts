import { afterEach, expect, it } from 'vitest'
import { createHttp2Client } from '../src/http2/index.ts'
import { isWireError, shedBodies } from '../src/index.ts'
import { cleanup, client, serve, text, until } from './setup.ts'

afterEach(() => shedBodies(false))

it.each([
  ['HTTP/1.1', client],
  ['HTTP/2', createHttp2Client],
])('large bodies that are wanted as a whole are given up while memory is short, over %s', async (_, make) => {
  let [began, passed] = [0, 0]
  const { origin } = await serve(
    async (request, response) => {
      began++
      if (request.path === '/pieces') {
        for await (const chunk of request.body) passed += chunk.length
        return response.send(200, [], String(passed))
      }
      try {
        response.send(200, [], String((await request.body.bytes()).length))
      } catch (error) {
        response.send(isWireError(error, 'OVERLOADED') ? 503 : 500)
      }
    },
    { protocols: ['http/1.1', 'h2c'] },
  )
  const caller = make()
  cleanup(() => caller.close())
  let goOn = (): void => {}
  const short = new Promise<void>((resolve) => (goOn = resolve))
  async function* body(size: number) {
    yield Buffer.alloc(size / 2)
    await short
    yield Buffer.alloc(size / 2)
  }
  const send = async (path: string, size: number) => {
    const answer = await caller.request({ method: 'POST', origin, path, body: body(size) })
    return [answer.status, text(await answer.body.bytes())]
  }
  const answers = Promise.all([send('/', 300_000), send('/', 60_000), send('/pieces', 300_000)])
  await until(() => began === 3 && passed === 150_000, 'all have begun')
  shedBodies(true)
  goOn()
  expect(await answers).toEqual([
    [503, ''],
    [200, '60000'],
    [200, '300000'],
  ])
  shedBodies(false)
  expect(await send('/', 300_000)).toEqual([200, '300000'])
})
