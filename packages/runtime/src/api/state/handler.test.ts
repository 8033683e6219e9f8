import { ComponentError, type StateSetRequest, type StateStore } from '@outrigger/spec'
import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { StateHandler, type SaveItem } from './handler.ts'

const value = { bytes: new TextEncoder().encode('1'), kind: 'json' as const }
const items = (...keys: string[]): SaveItem[] => keys.map((key) => ({ key, value }))

/** Keys say how they fail. */
function failure(key: string): Error | undefined {
  if (key.startsWith('stale')) return new ComponentError('ETAG_MISMATCH', `${key} is not current`)
  if (key.startsWith('odd')) return new ComponentError('ETAG_INVALID', `${key} is no ETag`)
  if (key.startsWith('away')) return new ComponentError('UNAVAILABLE', `no answer for ${key}`)
  return key.startsWith('leaky') ? new Error('password=sesame') : undefined
}

function setUp(more: Partial<StateStore> = {}) {
  const sets: StateSetRequest[] = []
  const one = async ({ key }: { readonly key: string }): Promise<void> => {
    const error = failure(key)
    if (error !== undefined) throw error
  }
  const store: StateStore = {
    capabilities: new Set(['etag']),
    get: async () => undefined,
    set: (request) => {
      sets.push(request)
      return one(request)
    },
    delete: one,
    close: async () => {},
    ...more,
  }
  const logger = recordingLogger()
  return {
    sets,
    logger,
    handler: new StateHandler(new Map([['store', { instance: store }]]), 'shop', logger),
  }
}

const failed = (work: Promise<unknown>) => work.catch((error: unknown) => error)

test.each([
  [['stale'], 'STATE_SAVE_ETAG_MISMATCH', 'stale is not current'],
  [['odd'], 'STATE_SAVE_ETAG_INVALID', 'odd is no ETag'],
  [['away'], 'STATE_SAVE', 'no answer for away'],
  [
    ['fine', 'away', 'stale'],
    'STATE_SAVE_ETAG_MISMATCH',
    'away: no answer for away; stale: stale is not current',
  ],
  [['away', 'odd'], 'STATE_SAVE_ETAG_INVALID', 'away: no answer for away; odd: odd is no ETag'],
])('saving %j is %s', async (keys, id, text) => {
  const { handler, sets } = setUp()
  expect(await failed(handler.save('store', items(...keys), {}))).toMatchObject({
    id,
    message: `failed saving state in state store store: ${text}`,
  })
  expect(sets.map(({ key }) => key)).toEqual(keys)
})

test('of many failures a few are shown', async () => {
  const { handler } = setUp()
  const keys = Array.from({ length: 20 }, (_, index) => `away${index}`)
  const error = (await failed(handler.save('store', items(...keys), {}))) as Error
  expect(error.message).toContain('away4: no answer for away4; and 15 more')
})

test('many go to the store at once where it can', async () => {
  const bulks: (readonly StateSetRequest[])[] = []
  const bulkSet: NonNullable<StateStore['bulkSet']> = async (requests) => {
    bulks.push(requests)
    return [{ key: 'b', error: new ComponentError('UNAVAILABLE', 'away') }]
  }
  const { handler, sets } = setUp({ bulkSet })
  expect(await failed(handler.save('store', items('a', 'b'), {}))).toMatchObject({ id: 'STATE_SAVE' })
  await handler.save('store', items('a'), {})
  expect([bulks.map((bulk) => bulk.length), sets.length]).toEqual([[2], 1])
  await handler.save('store', [], {})
  expect([bulks.length, sets.length]).toEqual([1, 1])
})

test('what a store should not throw stays in the log', async () => {
  const { handler, logger } = setUp()
  const error = (await failed(handler.delete('store', { key: 'leaky' }, {}))) as Error
  expect(error).toMatchObject({ id: 'STATE_DELETE' })
  expect(error.message).not.toContain('sesame')
  expect(logger.messages('error')).toEqual(['a state operation failed'])
})

test.each([
  ['no key', items(''), 'MALFORMED_REQUEST'],
  ['a key with ||', items('a||b'), 'STATE_ILLEGAL_KEY'],
  ['too many', items(...Array.from({ length: 10_001 }, (_, index) => `k${index}`)), 'MALFORMED_REQUEST'],
])('%s is refused before anything is saved', async (_, list, id) => {
  const { handler, sets } = setUp()
  expect(await failed(handler.save('store', [...list, ...items('fine')], {}))).toMatchObject({ id })
  expect(sets).toEqual([])
})

test('a TTL that a store does not have is told of once', async () => {
  const { handler, logger, sets } = setUp()
  for (const ttlInSeconds of ['5', '0', ''])
    await handler.save('store', [{ key: 'k', value, metadata: { ttlInSeconds } }], {})
  expect(sets.map(({ ttlSeconds }) => ttlSeconds)).toEqual([5, 'never', undefined])
  expect(logger.messages('warn')).toEqual([
    'state store store has no TTL: ttlInSeconds is ignored and values stay',
  ])
})

test('values are read side by side where the store has no bulk, and a failure is its own', async () => {
  const { handler } = setUp({
    get: async ({ key }) => {
      const error = failure(key)
      if (error !== undefined) throw error
      return { value }
    },
  })
  const results = await handler.getBulk('store', ['a', 'away', 'leaky'], 2, {}, {})
  expect(results.map(({ key, error }) => [key, error?.message])).toEqual([
    ['a', undefined],
    ['away', 'no answer for away'],
    ['leaky', 'unexpected error in the component; the log of the sidecar has it'],
  ])
})

test.each(['1e3', ' 5 ', '0x10', '5.0', '5s', '9999999999'])(
  'a TTL of %j is refused',
  async (ttlInSeconds) => {
    const { handler, sets } = setUp()
    await expect(
      handler.save('store', [{ key: 'k', value, metadata: { ttlInSeconds } }], {}),
    ).rejects.toMatchObject({ id: 'MALFORMED_REQUEST' })
    expect(sets).toEqual([])
  },
)
