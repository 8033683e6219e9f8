import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { parseAppConfig, readAppConfig } from './app-config.ts'

function setUp(handle: FakeApp['handle']) {
  const channel = new FakeApp()
  channel.handle = handle
  const logger = recordingLogger()
  const clock = virtualClock()
  const life = new AbortController()
  const read = () => readAppConfig({ channel, appId: 'shop', clock, logger, signal: life.signal })
  return { channel, logger, clock, life, read }
}

test('is asked for and read', async () => {
  const body = JSON.stringify({
    entities: ['Cart', 'Order'],
    actorIdleTimeout: '1h',
    drainOngoingCallTimeout: '30s',
    drainRebalancedActors: false,
    reentrancy: { enabled: true, maxStackDepth: 8 },
    entitiesConfig: [{ entities: ['Cart'], actorIdleTimeout: '90s' }],
    more: 'later',
  })
  const { channel, logger, read } = setUp(() => ({ body }))
  const unsaid = {
    drainOngoingCallTimeoutMs: undefined,
    drainRebalancedActors: undefined,
    reentrancy: undefined,
  }
  expect(await read()).toEqual({
    entities: ['Cart', 'Order'],
    actorIdleTimeoutMs: 3_600_000,
    drainOngoingCallTimeoutMs: 30_000,
    drainRebalancedActors: false,
    reentrancy: { enabled: true, maxStackDepth: 8 },
    entitiesConfig: [{ ...unsaid, entities: ['Cart'], actorIdleTimeoutMs: 90_000 }],
  })
  expect(channel.calls).toMatchObject([{ method: 'GET', path: '/dapr/config' }])
  expect(channel.calls[0]!.fields.get('dapr-app-id')).toBe('shop')
  expect(logger.records).toEqual([])
})

test('its members may be written in upper or lower case', () => {
  const text = `{"Entities":["Cart"],"ActorIdleTimeout":"1h","REENTRANCY":{"Enabled":true,"MaxStackDepth":8},
    "EntitiesConfig":[{"Entities":["Order"],"drainrebalancedactors":true}]}`
  const warnings: string[] = []
  expect(parseAppConfig(text, (problem) => warnings.push(problem))).toMatchObject({
    entities: ['Cart'],
    actorIdleTimeoutMs: 3_600_000,
    reentrancy: { enabled: true, maxStackDepth: 8 },
    entitiesConfig: [{ entities: ['Order'], drainRebalancedActors: true }],
  })
  expect(warnings).toEqual([])
})

test.each([
  ['404', () => ({ status: 404, body: '<html>' }), []],
  ['nothing', () => ({}), []],
  ['no JSON', () => ({ body: '<html>' }), [expect.stringContaining('GET /dapr/config')]],
  ['a list', () => ({ body: '[]' }), [expect.stringContaining('GET /dapr/config')]],
  ['too much', () => ({ body: ' '.repeat(2 ** 20) + '{}' }), [expect.stringContaining('GET /dapr/config')]],
])('an answer of %s says nothing', async (_, handle, warnings) => {
  const { logger, read } = setUp(handle)
  expect([await read(), logger.messages('warn')]).toEqual([undefined, warnings])
})

test('an application that hangs is not waited for without end', async () => {
  const { clock, life, logger, read } = setUp(() => new Promise(() => {}))
  const asked = read()
  await clock.advance(30_000)
  expect([await asked, logger.messages('warn').length]).toEqual([undefined, 1])
  const given = read()
  life.abort()
  expect([await given, logger.messages('warn').length, clock.pending]).toEqual([undefined, 1, 0])
})

test.each([
  ['{"entities":"Cart"}', 'entities is not a list'],
  ['{"entities":[1,"Cart"]}', 'entities has a name that is no text'],
  ['{"actorIdleTimeout":5}', 'actorIdleTimeout is not a duration'],
  ['{"drainOngoingCallTimeout":"soon"}', 'drainOngoingCallTimeout is not a duration'],
  ['{"drainRebalancedActors":"yes"}', 'drainRebalancedActors is neither'],
  ['{"reentrancy":true}', 'reentrancy is not an object'],
  ['{"reentrancy":{"maxStackDepth":0}}', 'reentrancy.maxStackDepth is not a whole number'],
  ['{"remindersStoragePartitions":7}', 'remindersStoragePartitions has no effect'],
  ['{"entitiesConfig":[5]}', 'entitiesConfig[0] is not an object'],
  ['{"entitiesConfig":[{"actorIdleTimeout":"x"}]}', 'entitiesConfig[0].actorIdleTimeout is not'],
  [JSON.stringify({ entities: Array.from({ length: 1001 }, () => 'x') }), 'the first 1000'],
])('what makes no sense is left out and said: %.60s', (text, problem) => {
  const problems: string[] = []
  const config = parseAppConfig(text, (it) => problems.push(it))
  expect(problems).toEqual([expect.stringContaining(problem)])
  expect(config.entities.length).toBeLessThanOrEqual(1000)
})
