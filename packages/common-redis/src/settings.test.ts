import { fields } from '@outrigger/kit'
import { isComponentError } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { redisFields } from './fields.ts'
import { outageWaitMs, redisSettings, type RedisSettings } from './settings.ts'

const schema = fields(redisFields)

function settings(properties: Record<string, string>): RedisSettings {
  const result = schema.parse(properties)
  if ('issues' in result) throw new Error(JSON.stringify(result.issues))
  return redisSettings(result.value)
}

test.each([
  [{ redisHost: 'redis' }, 'redis:6379'],
  [{ redisHost: 'redis', redisPort: '7000' }, 'redis:7000'],
  [{ redisHost: 'redis:7000', redisPort: '7000' }, 'redis:7000'],
  [{ redisHost: '[::1]:7000' }, '[::1]:7000'],
  [{ redisHost: ' a , b:1 ', redisType: 'cluster' }, 'a:6379,b:1'],
  [{ redisHost: 's1,s2', failover: 'true', sentinelMasterName: 'm' }, 's1:26379,s2:26379'],
])('%j means %s', (properties, where) => {
  expect(settings(properties).where).toBe(where)
})

test.each([
  [{ redisHost: ',' }, 'INVALID_METADATA', 'redisHost names no host'],
  [{ redisHost: 'a,b' }, 'INVALID_METADATA', 'redisType: cluster or failover: true'],
  [{ redisHost: 'a:1', redisPort: '2' }, 'INVALID_METADATA', 'redisPort says 2'],
  [{ redisHost: 'a:99999' }, 'INVALID_METADATA', 'host:port'],
  [{ redisHost: 'a', failover: 'true' }, 'INVALID_METADATA', 'sentinelMasterName'],
  [{ redisHost: 'a', clientCert: 'x' }, 'INVALID_METADATA', 'clientCert and clientKey'],
  [{ redisHost: 'a', useEntraID: 'true' }, 'UNSUPPORTED', 'useEntraID'],
  [{ redisHost: 'a', useAzureAD: 'true' }, 'UNSUPPORTED', 'useEntraID'],
  [{ redisHost: 'a', useOIDC: 'true' }, 'UNSUPPORTED', 'useOIDC'],
  [
    { redisHost: 'a', redisType: 'cluster', failover: 'true', sentinelMasterName: 'm' },
    'UNSUPPORTED',
    'leave failover out',
  ],
])('%j is refused', (properties, code, text) => {
  const error = thrown(() => settings(properties))
  expect(isComponentError(error) && error.code).toBe(code)
  expect(String(error)).toContain(text)
})

test('a URL in the place of the host is refused without repeating its password', () => {
  const error = thrown(() => settings({ redisHost: 'redis://user:hunter2@host' }))
  expect(String(error)).toContain('host:port')
  expect(String(error)).not.toContain('hunter2')
})

test('numbers without a unit are milliseconds', () => {
  const { metadata } = settings({ redisHost: 'a', dialTimeout: '1500', readTimeout: '2s' })
  expect([metadata.dialTimeoutMs, metadata.readTimeoutMs]).toEqual([1500, 2000])
})

test('an outage lasts retries times the longest pause, and none without retries', () => {
  expect(outageWaitMs(settings({ redisHost: 'a' }).metadata)).toBe(1536)
  expect(outageWaitMs(settings({ redisHost: 'a', redisMaxRetries: '-1' }).metadata)).toBe(0)
})

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
