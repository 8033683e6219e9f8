import { createForTest } from '@outrigger/conformance'
import type { SecretStore } from '@outrigger/spec'
import { recordingLogger } from '@outrigger/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import definition from './index.ts'

const added = {
  OUTRIGGER_TEST_KEY: 'one',
  OUTRIGGER_TEST_EMPTY: '',
  DAPR_OUTRIGGER_TEST: 'hidden',
  APP_API_TOKEN: 'hidden',
}
const before = { ...process.env }
beforeEach(() => void Object.assign(process.env, added))
afterEach(() => {
  for (const name of Object.keys(added)) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const get = (store: SecretStore, name: string): Promise<unknown> => store.get({ name, metadata: {} }, {})

describe('the store', () => {
  test('gives out variables under their own names', async () => {
    const store = await createForTest(definition, { properties: {} })
    expect(await get(store, 'OUTRIGGER_TEST_KEY')).toEqual({ OUTRIGGER_TEST_KEY: 'one' })
    expect(await get(store, 'OUTRIGGER_TEST_EMPTY')).toEqual({ OUTRIGGER_TEST_EMPTY: '' })
    expect(await get(store, 'OUTRIGGER_TEST_ABSENT')).toBeUndefined()
    expect(await get(store, 'toString')).toBeUndefined()
    const all = await store.bulkGet({}, {})
    expect(all['OUTRIGGER_TEST_KEY']).toEqual({ OUTRIGGER_TEST_KEY: 'one' })
    expect(JSON.stringify(all)).not.toContain('hidden')
  })

  test('limits itself to a prefix', async () => {
    const store = await createForTest(definition, { properties: { prefix: 'OUTRIGGER_TEST_' } })
    expect(await get(store, 'KEY')).toEqual({ KEY: 'one' })
    expect(await get(store, 'OUTRIGGER_TEST_KEY')).toBeUndefined()
    expect(await store.bulkGet({}, {})).toEqual({ KEY: { KEY: 'one' }, EMPTY: { EMPTY: '' } })
  })

  test.each([
    ['', 'APP_API_TOKEN'],
    ['', 'DAPR_OUTRIGGER_TEST'],
    ['DAPR_', 'OUTRIGGER_TEST'],
    ['APP_API_', 'TOKEN'],
  ])('never gives out the tokens of the runtime (prefix %j, name %s), and says why', async (prefix, name) => {
    const logger = recordingLogger()
    const store = await createForTest(definition, { properties: { prefix }, logger })
    expect(await get(store, name)).toBeUndefined()
    expect(logger.records).toMatchObject([{ level: 'warn', fields: { variable: prefix + name } }])
    expect(JSON.stringify(logger.records)).not.toContain('hidden')
  })

  test('obeys the signal and its end', async () => {
    const store = await createForTest(definition, { properties: {} })
    await expect(store.bulkGet({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    await store.close()
    await expect(get(store, 'HOME')).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
