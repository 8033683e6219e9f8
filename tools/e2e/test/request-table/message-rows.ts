import type { Row } from './operations.ts'

/** Publishing and bindings. */
export const messageRows: readonly Row[] = [
  ...['a topic', 'JSON', 'bytes', 'a CloudEvent'].map((kind, index): Row => ({
    name: `publish: ${kind}`,
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: [
        'text',
        '{"n":1}',
        '\u0001\u0002',
        '{"specversion":"1.0","id":"1","type":"t","source":"s","data":1}',
      ][index]!,
      contentType: [
        'text/plain',
        'application/json',
        'application/octet-stream',
        'application/cloudevents+json',
      ][index]!,
    },
    value: null,
  })),
  {
    name: 'publish: no such broker',
    when: { op: 'publish', pubsub: 'absent', topic: 'orders', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish: no broker at all',
    at: 'empty',
    when: { op: 'publish', pubsub: 'absent', topic: 'orders', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish: a topic that is not allowed',
    when: { op: 'publish', pubsub: 'bus', topic: 'secret', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish: a CloudEvent that is none',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: 'no',
      contentType: 'application/cloudevents+json',
    },
    fails: 'PUBSUB_CLOUD_EVENT',
  },
  {
    name: 'publish: rawPayload that is neither true nor false',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '1',
      contentType: 'application/json',
      metadata: { rawPayload: 'perhaps' },
    },
    fails: 'PUBSUB_METADATA',
  },
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
    name: 'publish: a time to live that is none',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '1',
      contentType: 'application/json',
      metadata: { ttlInSeconds: 'soon' },
    },
    fails: 'PUBSUB_METADATA',
    differs: { because: 'A bad `ttlInSeconds` is sometimes ignored' },
  },
  {
    name: 'publish: JSON that is none',
    when: { op: 'publish', pubsub: 'bus', topic: 'orders', data: '{', contentType: 'application/json' },
    value: null,
  },
  {
    name: 'publish: raw bytes',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '{',
      contentType: 'application/json',
      metadata: { rawPayload: 'true' },
    },
    value: null,
  },
  {
    name: 'publish: a CloudEvent that lacks what it must have',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '{"data":1}',
      contentType: 'application/cloudevents+json',
    },
    value: null,
  },
  {
    name: 'publish: a topic with a slash',
    when: { op: 'publish', pubsub: 'bus', topic: 'orders/new', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish: no entries at all',
    when: { op: 'publishBulk', pubsub: 'bus', topic: 'orders', entries: [] },
    value: { failed: [] },
  },
  {
    name: 'bindings: a list of files',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'list',
      data: '',
      metadata: { fileName: 'absent-folder' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: a file outside of its folder',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: '../secrets.json' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: no operation',
    when: { op: 'invokeBinding', name: 'files', operation: '', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: what was written is read',
    given: [
      {
        op: 'invokeBinding',
        name: 'files',
        operation: 'create',
        data: 'hello',
        metadata: { fileName: 'row.txt' },
      },
    ],
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: 'row.txt' },
    },
    value: 'hello',
  },
  {
    name: 'bindings: no such binding',
    when: { op: 'invokeBinding', name: 'absent', operation: 'create', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: an operation that there is not',
    when: { op: 'invokeBinding', name: 'files', operation: 'dance', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: a file that is not there',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: 'absent.txt' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'publish: an empty name of a broker',
    when: { op: 'publish', pubsub: '', topic: 'orders', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_NAME_EMPTY',
  },
  {
    name: 'publish: an empty topic',
    when: { op: 'publish', pubsub: 'bus', topic: '', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_TOPIC_EMPTY',
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
  {
    name: 'bindings: no binding at all',
    at: 'empty',
    when: { op: 'invokeBinding', name: 'absent', operation: 'create', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
]
