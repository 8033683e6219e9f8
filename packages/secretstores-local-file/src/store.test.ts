import { rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createForTest } from '@outrigger/conformance'
import type { Metadata, SecretStore } from '@outrigger/spec'
import { recordingLogger, tempFolder, type RecordingLogger, type TempFolder } from '@outrigger/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import definition from './index.ts'

let temporary: TempFolder
let folder: string
let logger: RecordingLogger
beforeEach(async () => {
  temporary = await tempFolder()
  folder = temporary.path
  logger = recordingLogger()
})
afterEach(() => temporary.remove())

async function create(content: string, properties: Metadata = {}): Promise<SecretStore> {
  await writeFile(join(folder, 'secrets.json'), content)
  return createForTest(definition, {
    properties: { secretsFile: 'secrets.json', ...properties },
    baseDirectory: folder,
    logger,
  })
}

const get = (store: SecretStore, name: string): Promise<unknown> => store.get({ name, metadata: {} }, {})

describe('the store', () => {
  test('reads a file relative to the base directory', async () => {
    const store = await create('{"a":"1","b":{"c":"2"}}')
    expect(await get(store, 'a')).toEqual({ a: '1' })
    expect(await get(store, 'b')).toBeUndefined()
    expect(await get(store, 'toString')).toBeUndefined()
    expect(await store.bulkGet({}, {})).toEqual({ a: { a: '1' }, 'b:c': { 'b:c': '2' } })
    expect(store.capabilities.has('multipleKeyValues')).toBe(false)
  })

  test('has several values for each name only where it is told', async () => {
    const store = await create('{"b":{"c":"2","d":"3"}}', { multiValued: 'true' })
    expect(store.capabilities.has('multipleKeyValues')).toBe(true)
    expect(await get(store, 'b')).toEqual({ c: '2', d: '3' })
  })

  test('sees a new content, written in place or renamed over the file', async () => {
    const store = await create('{"a":"1"}')
    await writeFile(join(folder, 'secrets.json'), '{"a":"22"}')
    expect(await get(store, 'a')).toEqual({ a: '22' })
    await writeFile(join(folder, 'next.json'), '{"a":"33"}')
    await rename(join(folder, 'next.json'), join(folder, 'secrets.json'))
    expect(await Promise.all([get(store, 'a'), store.bulkGet({}, {})])).toEqual([
      { a: '33' },
      { a: { a: '33' } },
    ])
  })

  test('keeps the former secrets while the file is broken or gone, says so once, and recovers', async () => {
    const file = join(folder, 'secrets.json')
    const store = await create('{"a":"hidden"}')
    await truncate(file, 10)
    expect(await get(store, 'a')).toEqual({ a: 'hidden' })
    expect(await get(store, 'a')).toEqual({ a: 'hidden' })
    await expect(store.ping!({})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await rename(file, join(folder, 'away.json'))
    expect(await get(store, 'a')).toEqual({ a: 'hidden' })
    const problems = logger.records.map(({ fields }) => String(fields['problem']))
    expect(problems).toEqual([
      expect.stringContaining('secrets.json:1:6 is not valid JSON'),
      expect.stringContaining('does not exist'),
    ])
    expect(JSON.stringify(logger.records)).not.toContain('hidden')
    await writeFile(file, '{"a":"back"}')
    expect(await get(store, 'a')).toEqual({ a: 'back' })
    await store.ping!({})
  })

  test('says what is wrong with the file', async () => {
    const at = (secretsFile: string): Promise<SecretStore> =>
      createForTest(definition, { properties: { secretsFile }, baseDirectory: folder })
    const invalid = (message: string): object => ({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message) as string,
    })
    await expect(at('missing.json')).rejects.toMatchObject(
      invalid(`${join(folder, 'missing.json')} does not exist`),
    )
    await expect(at('.')).rejects.toMatchObject(invalid('is not a file'))
    await writeFile(join(folder, 'huge.json'), '{')
    await truncate(join(folder, 'huge.json'), 17 * 2 ** 20)
    await expect(at('huge.json')).rejects.toMatchObject(invalid('the limit is'))
    await expect(createForTest(definition, { properties: {} })).rejects.toThrow('secretsFile is required')
  })

  test('obeys the signal and its end', async () => {
    const store = await create('{"a":"1"}')
    await expect(
      store.get({ name: 'a', metadata: {} }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'CANCELLED' })
    await store.close()
    await expect(get(store, 'a')).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
