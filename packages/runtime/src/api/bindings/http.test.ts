import {
  ComponentError,
  defineBinding,
  type Binding,
  type BindingRequest,
  type BindingResponse,
} from '@outrigger/spec'
import { recordingLogger, seededRandom } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { livePubSub } from '../../../test/support/fake-broker.ts'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import { BindingsHandler } from './handler.ts'
import { bindingsRoutes } from './http.ts'

function setUp(invoke: (request: BindingRequest) => Promise<BindingResponse>) {
  const requests: BindingRequest[] = []
  const instance: Binding = {
    capabilities: new Set(['output']),
    operations: ['create'],
    invoke(request) {
      requests.push(request)
      return invoke(request)
    },
    async close() {},
  }
  const { resource } = livePubSub('web', undefined as never)
  const definition = defineBinding({ type: 'bindings.fake', title: 'Fake', versions: {} })
  const live = {
    name: 'web',
    kind: 'bindings' as const,
    version: 'v1',
    definition,
    properties: {},
    instance,
    resource,
  }
  const logger = recordingLogger()
  const api = apiOf(bindingsRoutes(new BindingsHandler(new Map([['web', live]]), logger, seededRandom(1))))
  const post = (body: string) => ask(api, { method: 'POST', target: '/v1.0/bindings/web', body })
  return { requests, post, api, logger }
}

test('data goes out as it was written, and comes back with its type and metadata', async () => {
  const { requests, post } = setUp(async () => ({
    data: Buffer.from('done'),
    contentType: 'text/plain',
    metadata: { statusCode: '201', 'not a name': 'x' },
  }))
  const answer = await post(
    '{"operation":"create","data":{"n":12345678901234567890},"metadata":{"path":"/x"}}',
  )
  expect([answer.status, answer.text, [...answer.fields]]).toEqual([
    200,
    'done',
    [
      ['metadata.statuscode', '201'],
      ['content-type', 'text/plain'],
    ],
  ])
  expect(Buffer.from(requests[0]!.data as Uint8Array).toString()).toBe('{"n":12345678901234567890}')
  expect(requests[0]!.metadata).toMatchObject({ path: '/x', traceparent: expect.stringMatching(/^00-/) })
})

test('members may be written in upper or lower case', async () => {
  const { requests, post } = setUp(async () => ({}))
  const body = '{"operation":"get","Operation":"create","DATA":{"Data":1.0},"Metadata":{"fileName":"F"}}'
  expect((await post(body)).status).toBe(204)
  expect(requests).toMatchObject([
    { operation: 'create', data: new TextEncoder().encode('{"Data":1.0}'), metadata: { fileName: 'F' } },
  ])
})

test('no data is 204, a stream is passed on piece by piece', async () => {
  expect((await setUp(async () => ({ metadata: { a: '1' } })).post('{"operation":"create"}')).status).toBe(
    204,
  )
  async function* pieces() {
    yield Buffer.from('in ')
    yield Buffer.from('pieces')
  }
  const answer = await setUp(async () => ({ data: pieces() })).post('{"operation":"create"}')
  expect([answer.status, answer.text, answer.complete]).toEqual([200, 'in pieces', true])
})

test('a failure shows what the service said besides', async () => {
  const error = new ComponentError('NOT_FOUND', 'received status code 404', {
    metadata: { statusCode: '404' },
  })
  const answer = await setUp(() => Promise.reject(error)).post('{"operation":"create"}')
  expect([answer.status, answer.fields.get('metadata.statuscode')]).toEqual([500, '404'])
  expect(JSON.parse(answer.text)).toEqual({
    errorCode: 'ERR_INVOKE_OUTPUT_BINDING',
    message: 'error invoking output binding web: received status code 404',
  })
})

test('what a binding should not throw stays in the log', async () => {
  const { post, logger } = setUp(() => Promise.reject(new Error('password=sesame')))
  const answer = await post('{"operation":"create"}')
  expect([answer.status, answer.text.includes('sesame')]).toEqual([500, false])
  expect(logger.messages('error')).toEqual(['binding web failed'])
})

test.each([
  [
    'an operation that there is not',
    '{"operation":"get"}',
    500,
    'does not support operation get. supported operations: create',
  ],
  ['no operation', '{}', 500, 'operation field is missing'],
  ['an operation that is no text', '{"operation":1}', 400, 'operation must be a string'],
  [
    'metadata that is no text',
    '{"operation":"create","metadata":{"a":1}}',
    400,
    'metadata.a must be a string',
  ],
  ['no object', '[]', 400, 'an object with'],
  ['no JSON', '{', 400, 'failed deserializing HTTP body'],
])('%s is refused', async (_, body, status, message) => {
  const { requests, post } = setUp(async () => ({}))
  const answer = await post(body)
  expect([answer.status, JSON.parse(answer.text).message]).toEqual([status, expect.stringContaining(message)])
  expect(requests).toEqual([])
})
