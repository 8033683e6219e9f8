import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createForTest } from '@outrigger/conformance'
import type { CryptoProvider } from '@outrigger/spec'
import { recordingLogger, tempFolder, virtualClock } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import definition from './index.ts'

const oct = (kid: string, more: object = {}) => ({
  kty: 'oct',
  kid,
  k: randomBytes(32).toString('base64url'),
  ...more,
})
const set = (...keys: object[]): string => JSON.stringify({ keys })
const wrap = (provider: CryptoProvider, keyName: string) =>
  provider.wrapKey!({ keyName, algorithm: 'A256KW', plaintextKey: new Uint8Array(32) }, {})

describe('the set itself', () => {
  const text = set(oct('a'), oct('b'))
  test.each([
    ['plain', text],
    ['with space before it', `\n  ${text}`],
    ['in base64', Buffer.from(text).toString('base64')],
    ['in base64 without padding', Buffer.from(text).toString('base64').replaceAll('=', '')],
  ])('%s', async (_, jwks) => {
    const provider = await createForTest(definition, { properties: { jwks } })
    expect((await wrap(provider, 'b')).wrappedKey).toHaveLength(40)
    await expect(wrap(provider, 'c')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(wrap(provider, 'constructor')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await provider.close()
  })

  test('a single key is a set of one', async () => {
    const provider = await createForTest(definition, { properties: { jwks: JSON.stringify(oct('only')) } })
    expect((await wrap(provider, 'only')).wrappedKey).toHaveLength(40)
  })

  test('keys that cannot be used are left out, and the log shows none of them', async () => {
    const logger = recordingLogger()
    const jwks = set(
      oct('a'),
      { kty: 'oct', k: 'SECRET' },
      { kty: 'new', kid: 'n', x: 'SECRET' },
      oct('a'),
      7 as never,
    )
    const provider = await createForTest(definition, { properties: { jwks }, logger })
    expect((await wrap(provider, 'a')).wrappedKey).toHaveLength(40)
    const warnings = logger.records.filter(({ level }) => level === 'warn')
    expect(warnings.map(({ fields }) => fields?.['index'])).toEqual([1, 2, 3, 4])
    expect(JSON.stringify(logger.records)).not.toContain('SECRET')
  })

  test.each([
    ['{"keys":"SECRET"}', 'has no list of "keys"'],
    ['{"SECRET"', 'is not valid JSON'],
    ['SECRET-file.json', 'no address, no file that exists, and no JSON'],
    ['http://user:SECRET@127.0.0.1/', 'the address is not valid, or has a user'],
    ['https://', 'the address is not valid'],
  ])('%s is refused', async (jwks, message) => {
    const error: unknown = await createForTest(definition, { properties: { jwks } }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message) as string,
    })
    expect(String(error)).not.toContain('SECRET')
  })
})

test('a file that has changed counts; one that is broken or gone leaves the former keys', async () => {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  const file = join(folder.path, 'keys.json')
  await writeFile(file, set(oct('a')))
  const clock = virtualClock()
  const logger = recordingLogger()
  const provider = await createForTest(definition, {
    properties: { jwks: 'keys.json' },
    baseDirectory: folder.path,
    clock,
    logger,
  })
  await wrap(provider, 'a')
  await writeFile(file, set(oct('b'), oct('c')))
  await clock.advance(1001)
  await wrap(provider, 'c')
  await expect(wrap(provider, 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' })

  await writeFile(file, '{')
  await clock.advance(1001)
  await wrap(provider, 'c')
  await expect(provider.ping!({})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await rm(file)
  await clock.advance(1001)
  await wrap(provider, 'c')
  expect(logger.records.filter(({ message }) => message.includes('former keys stay'))).toHaveLength(2)

  await writeFile(file, set(oct('d')))
  await clock.advance(1001)
  await wrap(provider, 'd')
  await provider.ping!({})
  await provider.close()
})
