import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { JobFailurePolicySchema, StateItemSchema, StreamPayloadSchema } from './common.ts'
import { readJson, writeJson } from './json.ts'
import { GetMetadataResponseSchema, JobSchema } from './runtime.ts'

test('both spellings of a name, long numbers and bytes are read', () => {
  const policy = readJson(
    JobSchema,
    '{"due_time":"5s","failurePolicy":{"constant":{"interval":"1.5s","maxRetries":3}}}',
  )
  expect(policy).toMatchObject({
    dueTime: '5s',
    failurePolicy: {
      policy: { case: 'constant', value: { interval: { seconds: 1n, nanos: 500_000_000 }, maxRetries: 3 } },
    },
  })
  const payload = readJson(StreamPayloadSchema, '{"data":"AQI=","seq":"18446744073709551615"}')
  expect(payload).toMatchObject({ data: Uint8Array.of(1, 2), seq: 18_446_744_073_709_551_615n })
})

test('long numbers are written as text, names as the HTTP API has them, defaults not at all', () => {
  expect(writeJson(StreamPayloadSchema, create(StreamPayloadSchema, { seq: 2n ** 60n }))).toBe(
    '{"seq":"1152921504606846976"}',
  )
  const metadata = create(GetMetadataResponseSchema, {
    id: 'a',
    registeredComponents: [{ name: 'n', type: 't' }],
    extendedMetadata: { k: 'v' },
    subscriptions: [{ pubsubName: 'p' }],
  })
  expect(JSON.parse(writeJson(GetMetadataResponseSchema, metadata))).toEqual({
    id: 'a',
    components: [{ name: 'n', type: 't' }],
    extended: { k: 'v' },
    subscriptions: [{ pubsubname: 'p' }],
  })
})

test('what is not known is ignored', () => {
  expect(readJson(StateItemSchema, '{"later":1,"key":"k","options":{"concurrency":"LATER"}}')).toMatchObject({
    key: 'k',
    options: { concurrency: 0 },
  })
})

test.each([
  [StateItemSchema, '{"key":"s3cret', 'message dapr.proto.common.v1.StateItem'],
  [StateItemSchema, '["s3cret"]', 'message dapr.proto.common.v1.StateItem'],
  [StateItemSchema, '{"etag":"s3cret"}', 'message dapr.proto.common.v1.Etag'],
  [StateItemSchema, '{"value":"s3cret!"}', 'field dapr.proto.common.v1.StateItem.value'],
  [StateItemSchema, '{"metadata":{"s3cret":5}}', 'field dapr.proto.common.v1.StateItem.metadata'],
  [JobSchema, '{"repeats":-1}', 'field dapr.proto.runtime.v1.Job.repeats'],
  [JobFailurePolicySchema, '{"constant":{"interval":"s3cret"}}', 'google.protobuf.Duration'],
])('%s refuses %s and names no value', (schema, text, named) => {
  let message = ''
  try {
    readJson(schema, text)
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toContain(named)
  expect(message).not.toContain('s3cret')
})
