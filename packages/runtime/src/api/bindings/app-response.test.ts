import { defineBinding, type Binding, type BindingRequest, type StateOperation } from '@outrigger/spec'
import { create } from '@outrigger/proto'
import { BindingEventResponseSchema } from '@outrigger/proto/appcallback'
import { recordingLogger, seededRandom } from '@outrigger/testkit'
import { describe, expect, test } from 'vitest'
import { livePubSub } from '../../../test/support/fake-broker.ts'
import type { Live } from '../../components/live.ts'
import { StateHandler } from '../state/handler.ts'
import { AppResponses } from './app-response.ts'
import { BindingsHandler } from './handler.ts'

const definition = defineBinding({ type: 'bindings.fake', title: 'Fake', versions: {} })

function live(name: string, instance: Binding, annotation?: string): Live<Binding> {
  const { resource } = livePubSub(name, undefined as never)
  const annotations = annotation === undefined ? undefined : { 'outrigger.dev/app-response': annotation }
  return {
    name,
    kind: 'bindings',
    version: 'v1',
    definition,
    properties: {},
    instance,
    resource: { ...resource, annotations },
  }
}

/** Two output bindings of which the first answers when it is told to, and a store that shows what was written. */
function setUp() {
  const log: string[] = []
  const saved: unknown[] = []
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const outputOf = (name: string): Binding => ({
    capabilities: new Set(['output']),
    operations: ['create'],
    async invoke({ operation, data }: BindingRequest) {
      log.push(`${name} ${operation} ${Buffer.from(data as Uint8Array).toString()}`)
      if (name === 'slow') await opened
      log.push(`${name} done`)
      return {}
    },
    async close() {},
  })
  const write = async (
    request: StateOperation['request'] & { value: { bytes: Uint8Array } },
  ): Promise<void> => {
    saved.push({ ...request, value: Buffer.from(request.value.bytes).toString() })
  }
  const store = { instance: { capabilities: new Set(), set: write, async close() {} } as never }
  const logger = recordingLogger()
  const outputs = new Map(['slow', 'fast'].map((name) => [name, live(name, outputOf(name))]))
  const responses = new AppResponses(
    new StateHandler(new Map([['store', store]]), 'shop', logger),
    new BindingsHandler(outputs, logger, seededRandom(1)),
    [],
    logger,
  )
  const source = (annotation?: string) => live('ticks', outputOf('ticks'), annotation)
  return { responses, log, saved, open, logger, source }
}

const json = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const inOrder = ['slow create 1', 'slow done', 'fast create 1', 'fast done']

describe('an answer over HTTP', () => {
  test('saves state and invokes output bindings one after the other, as it was written', async () => {
    const { responses, log, saved, open, source } = setUp()
    const answer =
      '{"storeName":"store","state":[{"key":"a","value":{"n":12345678901234567890},"etag":"7"}],"to":["slow","fast"],"data": 1}'
    const done = responses.http(source('true'), json(answer), {})
    await expect.poll(() => saved.length).toBe(1)
    expect(log).toEqual(['slow create 1'])
    open()
    await done
    expect(log).toEqual(inOrder)
    expect(saved).toMatchObject([{ key: 'a', value: '{"n":12345678901234567890}', etag: '7' }])
  })

  test('may write its members in upper or lower case', async () => {
    const { responses, log, saved, open, source } = setUp()
    const answer =
      '{"StoreName":"store","State":[{"Key":"a","Value":1.0}],"TO":["fast"],"Concurrency":"parallel","Data": 1}'
    open()
    await responses.http(source('true'), json(answer), {})
    expect([log, saved]).toMatchObject([['fast create 1', 'fast done'], [{ key: 'a', value: '1.0' }]])
  })

  test('invokes them at once where it says so', async () => {
    const { responses, log, open, source } = setUp()
    const done = responses.http(
      source('true'),
      json({ to: ['slow', 'fast'], concurrency: 'parallel', data: 1 }),
      {},
    )
    await expect.poll(() => log).toEqual(['slow create 1', 'fast create 1', 'fast done'])
    open()
    await done
  })

  test.each([undefined, 'false', ''])('does nothing where the annotation is %s', async (annotation) => {
    const { responses, log, source, logger } = setUp()
    await responses.http(source(annotation), json({ to: ['fast'], data: 1 }), {})
    expect([log, logger.records]).toEqual([[], []])
  })

  test.each([[''], ['done'], ['[]'], ['{}'], ['{"data":1}'], ['null'], ['"to"']])(
    'does nothing where it asks for nothing: %s',
    async (body) => {
      const { responses, log, source, logger } = setUp()
      await responses.http(source('true'), json(body), {})
      expect([log, logger.records]).toEqual([[], []])
    },
  )

  test.each([
    ['{"to":"fast"}', '"to" must be an array'],
    ['{"to":[1]}', '"to" must be an array'],
    ['{"to":["fast"],"concurrency":"often"}', '"parallel" or "sequential"'],
    ['{"state":{"key":"a"},"storeName":"store"}', '"state" must be an array'],
    ['{"state":[{"key":1}],"storeName":"store"}', 'state[0].key'],
    ['{"state":[{"key":"a"}],"storeName":"none"}', 'none'],
    ['{"state":[{"key":"a"}]}', 'state store'],
    ['{"to":["none"]}', "couldn't find output binding none"],
    [JSON.stringify({ to: Array.from({ length: 101 }, () => 'fast') }), 'at most 100'],
  ])('says what cannot be carried out: %.60s', async (body, problem) => {
    const { responses, log, saved, source, logger } = setUp()
    await responses.http(source('true'), json(body), {})
    expect([log, saved]).toEqual([[], []])
    expect(logger.records).toMatchObject([
      { level: 'error', fields: { problem: expect.stringContaining(problem) as string } },
    ])
  })
})

test('an annotation that is neither true nor false is said', () => {
  const logger = recordingLogger()
  const sources = ['true', 'false', 'yes', undefined].map((it) => live(`b-${it}`, undefined as never, it))
  void new AppResponses(undefined as never, undefined as never, sources, logger)
  expect(logger.messages('warn')).toEqual([expect.stringContaining('Component "b-yes"')])
})

describe('an answer over gRPC', () => {
  const response = create(BindingEventResponseSchema, {
    storeName: 'store',
    states: [{ key: 'a', value: Buffer.from('v') }],
    to: ['slow', 'fast'],
    data: Buffer.from('1'),
  })

  test('invokes output bindings always, and saves state where the annotation says so', async () => {
    for (const annotation of [undefined, 'true']) {
      const { responses, log, saved, open, source } = setUp()
      open()
      await responses.grpc(source(annotation), response, {})
      expect(log).toEqual(inOrder)
      expect(saved).toMatchObject(annotation === undefined ? [] : [{ key: 'a', value: 'v' }])
    }
  })

  test('invokes them at once where it says so', async () => {
    const { responses, log, open, source } = setUp()
    const done = responses.grpc(
      source(),
      create(BindingEventResponseSchema, { ...response, concurrency: 1 }),
      {},
    )
    await expect.poll(() => log).toEqual(['slow create 1', 'fast create 1', 'fast done'])
    open()
    await done
  })
})
