import { once } from 'node:events'
import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sidecar } from '../../src/index.ts'
import { World } from '../invoke/world.ts'
import { StreamingApp, type Seen } from './app.ts'
import { firstByteMs, get, post, send, size, text } from './client.ts'
import { extraMemory, mostExtraMiB, peakMiB } from './memory.ts'

const gigabyte = 1024 * 1024 * 1024

describe.each([
  { name: 'plaintext', mtls: false },
  { name: 'mutual TLS', mtls: true },
])('bodies through two sidecars, with $name', ({ mtls }) => {
  let world: World
  let app: StreamingApp
  let caller: Sidecar
  let callee: Sidecar
  let calls = 0

  beforeAll(async () => {
    world = await World.start({ mtls })
    app = await StreamingApp.start()
    const flags = ['--max-body-size=2Gi', '--log-level=warn']
    callee = await world.sidecar({ appId: 'callee', appPort: app.port, flags })
    caller = await world.sidecar({ appId: 'caller', flags })
  })
  afterAll(async () => {
    await world?.end()
    await app?.stop()
  })

  const through = (path: string): string => `${caller.url}/v1.0/invoke/callee/method${path}`
  const next = (): string => `call-${++calls}`
  const seen = (id: string, what: (call: Seen) => boolean, text: string): Promise<unknown> =>
    waitFor(() => app.call(id) !== undefined && what(app.call(id)!), { what: text })

  const grown = (stream: () => Promise<void>): Promise<readonly number[]> => {
    const call = async (): Promise<void> => void (await text(await get(through('/small'))))
    return extraMemory([caller.child.pid, callee.child.pid], call, stream)
  }

  it('passes an answer of 1 GB on without holding it', { timeout: 40_000 }, async () => {
    const extra = await grown(async () => {
      expect(await size(await get(through(`/down/${gigabyte}/${next()}`)))).toBe(gigabyte)
    })
    for (const mebibytes of extra) expect(mebibytes).toBeLessThan(mostExtraMiB)
  })

  it('passes a request of 1 GB on without holding it', { timeout: 40_000 }, async () => {
    const extra = await grown(async () => {
      const { request, answer } = post(through(`/up/${next()}`), gigabyte)
      await send(request, gigabyte)
      request.end()
      expect(await text(await answer)).toBe(String(gigabyte))
    })
    for (const mebibytes of extra) expect(mebibytes).toBeLessThan(mostExtraMiB)
  })

  it('lets the first bytes of an answer through before there are others', async () => {
    const id = next()
    const answer = await get(through(`/down/${200_000}/${id}?first`))
    const [first] = (await once(answer, 'data')) as [Buffer]
    expect(first.length).toBeGreaterThan(0)
    expect(app.call(id)!.finished).toBe(false)
    const rest = size(answer)
    app.call(id)!.go()
    expect(first.length + (await rest)).toBe(200_000)
  })

  it('lets each server-sent event through before there is another', async () => {
    const id = next()
    const answer = await get(through(`/events/${id}`))
    expect(answer.headers['content-type']).toBe('text/event-stream')
    for (const event of ['data: 1', 'data: 2', 'data: 3']) {
      app.call(id)!.go()
      expect(String((await once(answer, 'data'))[0])).toBe(`${event}\n\n`)
    }
    answer.destroy()
    await seen(id, ({ aborted }) => aborted, 'the application knows that nobody listens')
  })

  it('lets the first bytes of a request through before there are others', async () => {
    const id = next()
    const { request, answer } = post(through(`/up/${id}`))
    request.write('first')
    await seen(id, ({ received }) => received === 5, 'the first bytes are there')
    request.end('second')
    expect(await text(await answer)).toBe('11')
  })

  it('has the first byte of an answer within 10 ms of the direct call', async () => {
    const own = `http://127.0.0.1:${app.port}`
    const direct: number[] = []
    const both: number[] = []
    for (let round = 0; round < 40; round++) {
      direct.push(await firstByteMs(`${own}/down/1000000/${next()}`))
      both.push(await firstByteMs(through(`/down/1000000/${next()}`)))
    }
    // A busy machine makes all of them late, and only late: the best says what the way takes.
    expect(Math.min(...both) - Math.min(...direct)).toBeLessThan(10)
  })

  it('tells the application when the client goes away in the middle of an answer', async () => {
    const id = next()
    const answer = await get(through(`/down/${gigabyte}/${id}`))
    await once(answer, 'data')
    answer.destroy()
    await seen(id, ({ aborted }) => aborted, 'the application knows')
  })

  it('tells the application when the client goes away before there is an answer', async () => {
    const id = next()
    const { request, answer } = post(through(`/up/${id}?hold`), gigabyte)
    answer.catch(() => {})
    request.write('first')
    await seen(id, ({ received }) => received > 0, 'the request came')
    request.destroy()
    app.call(id)!.go()
    await seen(id, ({ aborted }) => aborted, 'the application knows')
  })

  it('tells the application when the client goes away in the middle of a request', async () => {
    const id = next()
    const { request, answer } = post(through(`/up/${id}`), gigabyte)
    answer.catch(() => {})
    await send(request, 1_000_000)
    await seen(id, ({ received }) => received > 0, 'the request came')
    request.destroy()
    await seen(id, ({ aborted }) => aborted, 'the application knows')
    expect(app.call(id)!.finished).toBe(false)
  })

  it('tells the client when the application breaks an answer off', async () => {
    const id = next()
    const answer = await get(through(`/break/${id}`))
    await once(answer, 'data')
    app.call(id)!.go()
    await expect(size(answer)).rejects.toThrow()
    expect(answer.complete).toBe(false)
  })

  it('tells the client when the application breaks a request off', async () => {
    const id = next()
    const { request, answer } = post(through(`/refuse/${id}`), gigabyte)
    request.on('error', () => {})
    request.write('first')
    await seen(id, ({ aborted }) => aborted, 'the application has cut the connection')
    const { statusCode } = await answer
    expect(statusCode).toBe(500)
  })

  it('reads no more from an application than a client takes', async () => {
    const id = next()
    const answer = await get(through(`/down/${gigabyte}/${id}`))
    await once(answer, 'data')
    answer.pause()
    const before = peakMiB(callee.child.pid)
    // Others are served meanwhile, and nothing piles up.
    for (let index = 0; index < 100; index++) await text(await get(through('/small')))
    expect(app.call(id)!.finished).toBe(false)
    expect(peakMiB(callee.child.pid) - before).toBeLessThan(mostExtraMiB)
    answer.destroy()
    await seen(id, ({ aborted }) => aborted, 'the application knows')
  })

  it('refuses a request that is larger than --max-body-size, and says how to raise it', async () => {
    const small = await world.sidecar({ appId: 'small' })
    const { request, answer } = post(`${small.url}/v1.0/invoke/callee/method/up/${next()}`, 5 * 1024 * 1024)
    request.on('error', () => {})
    // Nobody may take the rest: the answer comes first.
    void send(request, 5 * 1024 * 1024).then(
      () => request.end(),
      () => {},
    )
    const refusal = await answer
    expect(refusal.statusCode).toBeGreaterThanOrEqual(400)
    expect(await text(refusal)).toContain('--max-body-size')
    // It would be too large again.
    expect(small.log.join()).not.toContain('tried again')
  })
})
