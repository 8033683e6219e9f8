import { recordingLogger, seededRandom, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { FakeBroker, livePubSub } from '../../../test/support/fake-broker.ts'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import { createPubSubEngine } from '../../pubsub/engine.ts'
import { PublishHandler } from './handler.ts'
import { publishRoutes } from './http.ts'

function setUp(properties: Readonly<Record<string, string>> = {}) {
  const broker = new FakeBroker()
  const logger = recordingLogger()
  const random = seededRandom(1)
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker, properties)]]),
    channel: undefined,
    appId: 'shop',
    namespace: 'default',
    subscriptions: [],
    logger,
    clock: virtualClock(),
    random,
  })
  const api = apiOf(publishRoutes(new PublishHandler(engine, 'shop', logger, random)))
  const post = (path: string, body: string, fields: string[] = []) =>
    ask(api, { method: 'POST', target: `/v1.0/publish/${path}`, body, fields })
  const published = () =>
    broker.published.map(({ topic, data }) => [
      topic,
      JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>,
    ])
  return { broker, logger, post, published }
}

const json = ['content-type', 'application/json']

test('an event is wrapped and published; its topic may have slashes', async () => {
  const { post, published } = setUp()
  expect((await post('bus/a/b%2Fc', '{"n":1}', json)).status).toBe(204)
  expect((await post('bus/t?metadata.cloudevent.id=mine', 'text')).status).toBe(204)
  expect(published()).toMatchObject([
    [
      'a/b/c',
      {
        data: { n: 1 },
        topic: 'a/b/c',
        pubsubname: 'bus',
        source: 'shop',
        datacontenttype: 'application/json',
      },
    ],
    ['t', { data: 'text', id: 'mine', datacontenttype: 'text/plain' }],
  ])
})

test.each([
  ['other/t', {}, 404, 'ERR_PUBSUB_NOT_FOUND', 'DAPR_PUBSUB_NOT_FOUND'],
  ['bus/t', { allowedTopics: 'a' }, 403, 'ERR_PUBSUB_FORBIDDEN', 'DAPR_PUBSUB_FORBIDDEN'],
  [
    'bus/t?metadata.ttlInSeconds=soon',
    {},
    400,
    'ERR_PUBSUB_REQUEST_METADATA',
    'DAPR_PUBSUB_METADATA_DESERIALIZATION',
  ],
])('publishing to %s', async (path, properties, status, code, reason) => {
  const { broker, post } = setUp(properties as Record<string, string>)
  const answer = await post(path, '1', json)
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    status,
    { errorCode: code, details: expect.arrayContaining([expect.objectContaining({ reason })]) },
  ])
  expect(broker.published).toEqual([])
})

test('what a broker should not throw stays in the log', async () => {
  const { broker, logger, post } = setUp()
  broker.failPublish = () => new Error('password=sesame')
  const answer = await post('bus/t', '1', json)
  expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([500, 'ERR_PUBSUB_PUBLISH_MESSAGE'])
  expect(answer.text).not.toContain('sesame')
  expect(logger.messages('error')).toEqual(['publishing failed'])
})

test.each(['bulk/bus/t', '../../v1.0-alpha1/publish/bulk/bus/t'])(
  '%s takes many, each in its own way',
  async (path) => {
    const { post, published } = setUp()
    const entries = `[
    {"entryId":"1","event":{"n":12345678901234567890},"contentType":"application/json"},
    {"EntryID":"2","EVENT":"plain","ContentType":"text/plain","Metadata":{}},
    {"entryId":"3","event":"AQI=","contentType":"application/octet-stream"}]`
    expect((await post(path, entries, json)).status).toBe(204)
    expect(published().map(([, event]) => event)).toMatchObject([
      {},
      { data: 'plain' },
      { data_base64: 'AQI=' },
    ])
  },
)

test('entries that fail are named', async () => {
  const { broker, post } = setUp()
  broker.failPublish = ({ data }) =>
    Buffer.from(data).toString().includes('bad') ? new Error('no') : undefined
  const answer = await post(
    'bulk/bus/t',
    '[{"entryId":"1","event":"good","contentType":"text/plain"},{"entryId":"2","event":"bad","contentType":"text/plain"}]',
    json,
  )
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    500,
    { failedEntries: [{ entryId: '2' }], errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' },
  ])
  expect(broker.published).toHaveLength(1)
})

const entries = (...list: readonly object[]): string =>
  JSON.stringify(list.map((entry) => ({ contentType: 'application/json', ...entry })))

test.each([
  ['no JSON', '{', 'Expected'],
  ['no array', '{}', 'an array of entries is expected'],
  ['no id', entries({ event: 1 }), 'entryId is not present'],
  ['an id twice', entries({ entryId: '1', event: 1 }, { entryId: '1', event: 1 }), 'entryId 1 is duplicated'],
  ['no event', entries({ entryId: '1' }), 'event of entry 0 is missing'],
  [
    'no type',
    entries({ entryId: '1', event: 'x', contentType: undefined }),
    'contentType of entry 0 must be',
  ],
  ['an empty type', entries({ entryId: '1', event: 'x', contentType: '' }), 'contentType of entry 0 must be'],
  [
    'text that is none',
    entries({ entryId: '1', event: { a: 1 }, contentType: 'text/plain; charset=utf-8' }),
    'mismatch between contentType and event of entry 0: text/plain; charset=utf-8 takes text',
  ],
  [
    'bytes that are none',
    entries({ entryId: '1', event: { type: 'Buffer' }, contentType: 'application/octet-stream' }),
    'entry 0: application/octet-stream takes base64 text',
  ],
  [
    'base64 that is none',
    entries({ entryId: '1', event: '***', contentType: 'application/octet-stream' }),
    'entry 0: application/octet-stream takes base64 text',
  ],
  [
    'a type that is no text',
    '[{"entryId":"1","event":1,"contentType":1}]',
    'contentType of entry 0 must be a string',
  ],
  ['too many', `[${'1,'.repeat(10_000)}1]`, '10001 entries'],
])('bulk with %s is refused', async (_, body, message) => {
  const { broker, post } = setUp()
  const answer = await post('bulk/bus/t', body, json)
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    400,
    { errorCode: 'ERR_PUBSUB_EVENTS_SER', message: expect.stringContaining(message) },
  ])
  expect(broker.published).toEqual([])
})
