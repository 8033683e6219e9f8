import { afterEach, describe, expect, test } from 'vitest'
import { describeWithService } from '@outrigger/services'
import { seededRandom } from '@outrigger/testkit'
import { component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'

afterEach(endSidecars)

const sqlite = component('store', 'state.sqlite', { metadata: { connectionString: 'data/state.db' } })
const json = { 'content-type': 'application/json' }

function save(sidecar: Sidecar, items: readonly object[]): Promise<Response> {
  return fetch(`${sidecar.url}/v1.0/state/store`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(items),
  })
}

async function read(sidecar: Sidecar, key: string): Promise<unknown> {
  const answer = await fetch(`${sidecar.url}/v1.0/state/store/${key}`)
  return answer.status === 204 ? undefined : answer.json()
}

describe('state.sqlite', () => {
  test('what was saved is there after the sidecar was killed', async () => {
    const sidecar = await startSidecar({ resources: sqlite })
    expect(
      (
        await save(sidecar, [
          { key: 'a', value: { n: 1 } },
          { key: 'b', value: 'two' },
        ])
      ).status,
    ).toBe(204)
    await sidecar.kill()
    sidecar.start()
    await sidecar.ready()
    expect(await read(sidecar, 'a')).toEqual({ n: 1 })
    expect(await read(sidecar, 'b')).toBe('two')
  })

  test('every write that was acknowledged is there when the sidecar is killed under load', async () => {
    const random = seededRandom(20261121)
    const sidecar = await startSidecar({ resources: sqlite })
    const acknowledged = new Map<string, number>()
    const lost: string[] = []
    const lives = 3
    for (let life = 0; life < lives; life++) {
      const killAfter = acknowledged.size + 100 + Math.floor(random.next() * 200)
      let dead = false
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let index = 0; !dead; index++) {
          const key = `${life}-${writer}-${index}`
          try {
            const answer = await save(sidecar, [{ key, value: index }])
            if (answer.status === 204) acknowledged.set(key, index)
          } catch {
            return
          }
        }
      })
      await sidecar.child.waitUntil(() => acknowledged.size >= killAfter, `${killAfter} writes`)
      await sidecar.kill()
      dead = true
      await Promise.all(writers)
      sidecar.start()
      await sidecar.ready()
      for (const [key, value] of acknowledged) if ((await read(sidecar, key)) !== value) lost.push(key)
    }
    console.log(`state.sqlite: ${acknowledged.size} writes acknowledged, ${lives} kills, ${lost.length} lost`)
    expect(lost).toEqual([])
    expect(acknowledged.size).toBeGreaterThanOrEqual(300)
  })
})

/** 50 writers each add one: with ETags, every one of them must count. */
function losesNoUpdate(resources: () => string): void {
  test('50 concurrent writers with ETags lose no update', async () => {
    const sidecar = await startSidecar({ resources: resources() })
    expect((await save(sidecar, [{ key: 'counter', value: 0 }])).status).toBe(204)
    let conflicts = 0
    const writers = Array.from({ length: 50 }, async () => {
      for (;;) {
        const current = await fetch(`${sidecar.url}/v1.0/state/store/counter`)
        const etag = current.headers.get('etag')
        expect(etag).toBeTruthy()
        const value = ((await current.json()) as number) + 1
        const answer = await save(sidecar, [
          { key: 'counter', value, etag, options: { concurrency: 'first-write' } },
        ])
        await answer.arrayBuffer()
        if (answer.status === 204) return
        expect(answer.status).toBe(409)
        conflicts++
      }
    })
    await Promise.all(writers)
    expect(await read(sidecar, 'counter')).toBe(50)
    // Without any conflict nothing was shown.
    expect(conflicts).toBeGreaterThan(0)
    console.log(`50 updates, ${conflicts} conflicts`)
  })

  test('of 50 concurrent first writes without an ETag exactly one wins', async () => {
    const sidecar = await startSidecar({ resources: resources() })
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async (_, value) => {
        const answer = await save(sidecar, [{ key: 'once', value, options: { concurrency: 'first-write' } }])
        await answer.arrayBuffer()
        return answer.status
      }),
    )
    expect(statuses.filter((status) => status === 204)).toHaveLength(1)
    expect(statuses.filter((status) => status === 409)).toHaveLength(49)
    expect(await read(sidecar, 'once')).toBe(statuses.indexOf(204))
  })
}

describe('state.in-memory', () => losesNoUpdate(() => component('store', 'state.in-memory')))
describe('state.sqlite', () => losesNoUpdate(() => sqlite))
describeWithService('redis', 'state.redis', (get) =>
  losesNoUpdate(() =>
    component('store', 'state.redis', { metadata: { redisHost: `127.0.0.1:${get().port}` } }),
  ),
)

test('two sidecars on one SQLite file lose no update either', async () => {
  const first = await startSidecar({ resources: sqlite })
  const file = `${first.folder}/data/state.db`
  const second = await startSidecar({
    resources: component('store', 'state.sqlite', { metadata: { connectionString: file } }),
  })
  expect((await save(first, [{ key: 'counter', value: 0 }])).status).toBe(204)
  await Promise.all(
    [first, second, first, second].map(async (sidecar) => {
      for (let done = 0; done < 25;) {
        const current = await fetch(`${sidecar.url}/v1.0/state/store/counter`)
        const etag = current.headers.get('etag')
        const value = ((await current.json()) as number) + 1
        const answer = await save(sidecar, [{ key: 'counter', value, etag }])
        await answer.arrayBuffer()
        if (answer.status === 204) done++
        else expect(answer.status).toBe(409)
      }
    }),
  )
  expect(await read(first, 'counter')).toBe(100)
})
