import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { freshPath, json, open } from './support.ts'

/** A clock whose timers are called by hand. */
function handClock(): Clock & { ms: number; readonly due: { delayMs: number; callback: () => void }[] } {
  const due: { delayMs: number; callback: () => void }[] = []
  return {
    ms: Date.UTC(2026, 0, 1),
    due,
    now() {
      return this.ms
    },
    monotonic() {
      return this.ms
    },
    schedule(delayMs, callback) {
      const entry = { delayMs, callback }
      due.push(entry)
      return { cancel: () => void due.splice(due.indexOf(entry), 1) }
    },
  }
}

test('expired rows are removed from the file at every interval', async () => {
  const path = freshPath()
  const clock = handClock()
  const store = await open({ connectionString: path, cleanupInterval: '90' }, { clock })
  await Promise.all(
    Array.from({ length: 1200 }, (_, n) =>
      store.set(json(`t${n}`, '1', { ttlSeconds: 1 + (n % 2) * 1000 }), {}),
    ),
  )
  await store.set(json('stays', '1'), {})
  const file = new DatabaseSync(path)
  const count = (): unknown => file.prepare('SELECT count(*) AS n FROM state').get()!['n']
  expect(count()).toBe(1201)
  for (const [seconds, left] of [
    [2, 601],
    [2000, 1],
  ] as const) {
    clock.ms += seconds * 1000
    const { delayMs, callback } = clock.due.pop()!
    expect(delayMs).toBe(90_000)
    callback()
    await expect.poll(count).toBe(left)
    await expect.poll(() => clock.due.length).toBe(1)
  }
  await store.close()
  expect(clock.due).toEqual([])
  file.close()
})

test('an interval of 0 never sweeps', async () => {
  const clock = handClock()
  await open({ connectionString: ':memory:', cleanupInterval: '0' }, { clock })
  expect(clock.due).toEqual([])
})

test('more keys than a page or a chunk holds are handled whole', async () => {
  const store = await open({ connectionString: ':memory:' })
  const requests = Array.from({ length: 10_005 }, (_, n) => json(`k${n}`, `${n}`))
  expect(await store.bulkSet!(requests, {})).toEqual([])
  const first = await store.keysLike!({ pattern: 'k%' }, {})
  const second = await store.keysLike!({ pattern: 'k%', continuationToken: first.continuationToken }, {})
  expect(new Set([...first.keys, ...second.keys]).size).toBe(10_005)
  expect(second.continuationToken).toBeUndefined()
  const items = await store.bulkGet!(requests, {})
  expect(items.map(({ item }) => Buffer.from(item!.value.bytes).toString())).toEqual(
    requests.map((_, n) => `${n}`),
  )
  expect(await store.deleteWithPrefix!('k', {})).toBe(10_005)
})
