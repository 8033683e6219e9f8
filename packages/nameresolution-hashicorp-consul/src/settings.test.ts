import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'

const none = {
  queryOptions: undefined,
  selfRegister: false,
  selfDeregister: true,
  checks: undefined,
  tags: undefined,
  meta: undefined,
  daprPortMetaKey: 'DAPR_PORT',
  advancedRegistration: undefined,
}

test('without anything nothing is registered, and the cache of the agent is asked', () => {
  const settings = readSettings(none)
  expect(settings.registration).toBeUndefined()
  expect(settings.query.immediate).toEqual({ cached: true })
})

test('options of questions become parameters', () => {
  const { query } = readSettings({
    ...none,
    queryOptions: {
      Datacenter: 'dc2',
      AllowStale: true,
      near: '_agent',
      NodeMeta: { rack: 'r1', size: 3 },
      filter: '"v1" in Service.Tags',
      namespace: 'team',
      partition: 'p',
      maxAge: '30s',
      useCache: true,
      token: 't',
      waitTime: '5s',
    },
  })
  expect(query).toEqual({
    query: {
      dc: 'dc2',
      ns: 'team',
      partition: 'p',
      stale: true,
      consistent: undefined,
      near: '_agent',
      'node-meta': ['rack:r1', 'size:3'],
      filter: '"v1" in Service.Tags',
    },
    immediate: { cached: true },
    cacheControl: 'max-age=30',
    token: 't',
    waitTimeMs: 5000,
  })
})

test('a registration of its own, or the whole of one', () => {
  const own = readSettings({ ...none, selfRegister: true, tags: ['a'], meta: { n: 1, b: true, t: 'x' } })
  expect(own.registration).toEqual({
    checks: [],
    tags: ['a'],
    meta: { n: '1', b: 'true', t: 'x' },
    advanced: undefined,
  })
  const whole = readSettings({ ...none, advancedRegistration: { name: 'n' } })
  expect(whole.registration?.advanced).toEqual({ name: 'n' })
})

test.each([
  [{ checks: {} }, 'checks must be a list'],
  [{ checks: ['x'] }, 'checks[0] must be an object'],
  [{ tags: 'a,b' }, 'tags must be a list'],
  [{ tags: ['a', 1] }, 'tags[1] must be a text'],
  [{ meta: [] }, 'meta must be an object of texts'],
  [{ meta: { a: {} } }, 'meta.a must be a text'],
  [{ advancedRegistration: 'x' }, 'advancedRegistration must be an object'],
  [{ queryOptions: [] }, 'queryOptions must be an object'],
  [{ queryOptions: { allowStale: 5 } }, 'queryOptions.allowStale must be true or false'],
  [
    { queryOptions: { useCache: true, requireConsistent: true } },
    'queryOptions must have one of useCache and requireConsistent',
  ],
])('%j is refused', (written, message) => {
  expect(() => readSettings({ ...none, ...written })).toThrow(message)
})
