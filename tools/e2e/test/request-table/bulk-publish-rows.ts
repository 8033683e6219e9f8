import type { Row } from './operations.ts'

/** Publishing several events, and subscribing by stream. */
export const bulkPublishRows: readonly Row[] = [
  {
    name: 'publish: several',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'orders',
      entries: [
        { entryId: '1', data: '{"n":1}', contentType: 'application/json' },
        { entryId: '2', data: '"two"', contentType: 'application/json' },
      ],
    },
    value: { failed: [] },
  },
  {
    name: 'publish: several with the same id',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'orders',
      entries: ['1', '1'].map((entryId) => ({ entryId, data: '1', contentType: 'application/json' })),
    },
    fails: 'PUBSUB_ENTRIES',
  },
  {
    name: 'publish: several without id',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'orders',
      entries: [{ entryId: '', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_ENTRIES',
  },
  {
    name: 'publish: several to no such broker',
    when: {
      op: 'publishBulk',
      pubsub: 'absent',
      topic: 'orders',
      entries: [{ entryId: '1', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish: several to a topic that is not allowed',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'secret',
      entries: [{ entryId: '1', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish: no entries at all',
    when: { op: 'publishBulk', pubsub: 'bus', topic: 'orders', entries: [] },
    value: { failed: [] },
  },
  {
    name: 'publish: several, no broker at all',
    at: 'empty',
    when: {
      op: 'publishBulk',
      pubsub: 'absent',
      topic: 'orders',
      entries: [{ entryId: '1', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'subscribe: by stream',
    when: { op: 'subscribeTopic', pubsub: 'bus', topic: 'orders' },
    value: null,
  },
  {
    name: 'subscribe: no such broker',
    when: { op: 'subscribeTopic', pubsub: 'absent', topic: 'orders' },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'subscribe: an empty name of a broker',
    when: { op: 'subscribeTopic', pubsub: '', topic: 'orders' },
    fails: 'PUBSUB_NAME_EMPTY',
    differs: { because: 'A streaming subscription that is refused' },
  },
  {
    name: 'subscribe: an empty topic',
    when: { op: 'subscribeTopic', pubsub: 'bus', topic: '' },
    fails: 'PUBSUB_TOPIC_EMPTY',
    differs: { because: 'A streaming subscription that is refused' },
  },
  {
    name: 'subscribe: a topic that is not allowed',
    when: { op: 'subscribeTopic', pubsub: 'bus', topic: 'secret' },
    fails: 'PUBSUB_FORBIDDEN',
    differs: { because: 'A streaming subscription that is refused' },
  },
]
