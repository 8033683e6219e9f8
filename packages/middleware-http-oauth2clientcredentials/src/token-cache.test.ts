import type { Token, TokenClient } from '@outrigger/common-oauth2'
import { virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { TokenCache } from './token-cache.ts'

function setUp(expiresInMs: number | undefined) {
  const clock = virtualClock()
  let asked = 0
  const client: TokenClient = {
    async request(): Promise<Token> {
      return { accessToken: `t${++asked}`, type: 'Bearer', expiresInMs }
    },
  }
  return { clock, cache: new TokenCache(client, [], clock), count: () => asked }
}

test.each([
  [60_000, 50_000],
  [10_000, 5000],
  [undefined, 60_000],
])('a token that lives %j ms is used for %i ms', async (life, used) => {
  const { clock, cache } = setUp(life)
  expect(await cache.header()).toBe('Bearer t1')
  await clock.advance(used - 1)
  expect(await cache.header()).toBe('Bearer t1')
  await clock.advance(1)
  expect(await cache.header()).toBe('Bearer t2')
})

test('is asked for once, however many wait', async () => {
  const { cache, count } = setUp(60_000)
  const headers = await Promise.all([1, 2, 3].map(() => cache.header()))
  expect([headers, count()]).toEqual([['Bearer t1', 'Bearer t1', 'Bearer t1'], 1])
})

test('one that is refused is replaced, but not at once again', async () => {
  const { clock, cache } = setUp(3_600_000)
  await cache.header()
  cache.refused('Bearer t1')
  expect(await cache.header()).toBe('Bearer t1')
  await clock.advance(30_000)
  cache.refused('Bearer other')
  expect(await cache.header()).toBe('Bearer t1')
  cache.refused('Bearer t1')
  expect(await cache.header()).toBe('Bearer t2')
})
