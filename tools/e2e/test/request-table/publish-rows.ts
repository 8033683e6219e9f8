import type { Row } from './operations.ts'

/** Publishing one event. */
export const publishRows: readonly Row[] = [
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
    name: 'publish: an empty name of a broker',
    when: { op: 'publish', pubsub: '', topic: 'orders', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_NAME_EMPTY',
  },
  {
    name: 'publish: an empty topic',
    when: { op: 'publish', pubsub: 'bus', topic: '', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_TOPIC_EMPTY',
  },
]
