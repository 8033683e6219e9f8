import { ComponentError, defineBinding } from '@outrigger/spec'
import type { Binding, BindingCapability, BindingReply, BindingRequest, DeliverEvent } from '@outrigger/spec'
import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { FakeApp } from '../../test/support/fake-app.ts'
import { FakeGrpcApp } from '../../test/support/fake-grpc-app.ts'
import { livePubSub } from '../../test/support/fake-broker.ts'
import type { AppChannel } from '../app/channel.ts'
import type { Live } from '../components/live.ts'
import { createInputBindings } from './input.ts'
import { invokeBinding } from './output.ts'

/** A source that delivers what a test says, and a target that answers with its request. */
class FakeBinding implements Binding {
  readonly capabilities: ReadonlySet<BindingCapability> = new Set(['input', 'output'])
  readonly operations = ['create', 'get']
  reads = 0
  closed = false
  private deliver: DeliverEvent | undefined
  private pending = 0

  async read(deliver: DeliverEvent) {
    this.reads++
    this.deliver = deliver
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    return {
      ended: promise,
      close: async (signal?: AbortSignal) => {
        this.closed = true
        while (this.pending > 0 && signal?.aborted !== true) await new Promise(setImmediate)
        resolve(undefined)
      },
    }
  }

  async emit(data: string, metadata = {}): Promise<BindingReply> {
    this.pending++
    try {
      return await this.deliver!({ data: Buffer.from(data), metadata }, { traceparent: '00-t' })
    } finally {
      this.pending--
    }
  }

  async invoke(request: BindingRequest) {
    if (request.operation === 'get') throw new ComponentError('NOT_FOUND', 'nothing there')
    return { data: request.data as Uint8Array }
  }

  async close(): Promise<void> {}
}

function live(name: string, instance: Binding, properties: Record<string, string> = {}): Live<Binding> {
  const { resource } = livePubSub(name, undefined as never, properties)
  const definition = defineBinding({ type: 'bindings.fake', title: 'Fake', versions: {} })
  return { name, kind: 'bindings', version: 'v1', definition, properties, instance, resource }
}

function setUp(properties: Record<string, string> = {}) {
  const app = new FakeApp()
  return { app, ...setUpWith(app, properties) }
}

function setUpWith(channel: AppChannel, properties: Record<string, string> = {}) {
  const binding = new FakeBinding()
  const clock = virtualClock()
  const logger = recordingLogger()
  const inputs = createInputBindings({
    bindings: new Map([['ticks', live('ticks', binding, properties)]]),
    channel,
    logger,
    clock,
    random: seededRandom(5),
  })
  return { binding, clock, logger, inputs }
}

describe('input bindings', () => {
  it.each([
    [200, true],
    [204, true],
    [405, true],
    [404, false],
    [500, false],
  ])('asks the application by OPTIONS: %s means %s', async (status, wanted) => {
    const { app, binding, inputs } = setUp()
    app.handle = () => ({ status })
    await inputs.start()
    expect(app.calls[0]).toMatchObject({ method: 'OPTIONS', path: '/ticks' })
    expect([binding.reads, inputs.list()]).toEqual(wanted ? [1, ['ticks']] : [0, []])
    await inputs.stop()
    expect(binding.closed).toBe(wanted)
  })

  it('does not ask when the direction is declared', async () => {
    for (const [direction, reads] of [
      ['Input, output', 1],
      ['output', 0],
    ] as const) {
      const { app, binding, inputs } = setUp({ direction, route: '/jobs/tick' })
      await inputs.start()
      expect([app.calls.length, binding.reads]).toEqual([0, reads])
      await inputs.stop()
    }
  })

  it('asks again on resume when there was no answer in time', async () => {
    const { app, binding, clock, inputs, logger } = setUp()
    app.handle = () => new Promise(() => {})
    const started = inputs.start()
    await clock.advance(3000)
    await started
    expect(logger.messages('warn')).toEqual([expect.stringContaining('OPTIONS /ticks')])
    app.handle = () => ({})
    inputs.resume()
    await settle()
    expect(binding.reads).toBe(1)
    await inputs.start()
    expect(binding.reads).toBe(1)
    await inputs.stop()
  })

  it('says when a source ended by itself, also where it rejects, which it should not', async () => {
    const { binding, inputs, logger } = setUp({ direction: 'input' })
    binding.read = async () => ({ ended: Promise.reject(new Error('gone')), close: async () => {} })
    await inputs.start()
    await settle()
    expect([inputs.list(), logger.records.at(-1)]).toMatchObject([
      [],
      { level: 'error', message: 'input binding ticks ended', fields: { problem: 'gone' } },
    ])
    await inputs.stop()
  })

  it('posts events with their metadata and hands the answer back', async () => {
    const { app, binding, inputs } = setUp({ direction: 'input', route: 'jobs/tick' })
    await inputs.start()
    app.handle = () => ({ status: 201, body: 'done', fields: ['content-type', 'text/plain'] })
    const metadata = { readTimeUTC: 'now', 'Dapr-Api-Token': 'forged', 'content-type': 'x/y' }
    const reply = await binding.emit('{}', metadata)
    expect(reply).toEqual({ settlement: 'ack', data: Buffer.from('done'), contentType: 'text/plain' })
    const call = app.calls.at(-1)!
    expect(call).toMatchObject({ method: 'POST', path: '/jobs/tick', body: '{}' })
    expect(Object.fromEntries(call.fields)).toEqual({
      'content-type': 'application/json',
      readtimeutc: 'now',
      traceparent: '00-t',
    })
    app.handle = () => ({ status: 404 })
    expect(await binding.emit('{}')).toMatchObject({
      settlement: 'nack',
      error: { message: 'the application answered 404 to binding ticks' },
    })
    await inputs.stop()
  })

  it('gives events back with a pause while the application is down or unhealthy', async () => {
    const { app, binding, clock, inputs } = setUp({ direction: 'input' })
    await inputs.start()
    app.down = true
    const down = binding.emit('1')
    await clock.advance(1000)
    expect(await down).toMatchObject({ settlement: 'nack', error: { code: 'CONNECT' } })
    app.down = false
    inputs.pause()
    const held = binding.emit('2')
    await clock.advance(1000)
    expect(await held).toMatchObject({ settlement: 'nack' })
    expect(app.posts).toEqual([])
    inputs.resume()
    expect(await binding.emit('3')).toMatchObject({ settlement: 'ack' })
    await inputs.stop()
  })

  it('drains before it stops, and gives back what is under way at the deadline', async () => {
    const { app, binding, inputs } = setUp({ direction: 'input' })
    await inputs.start()
    app.handle = () => new Promise(() => {})
    const reply = binding.emit('1')
    await settle()
    const deadline = new AbortController()
    let stopped = false
    const stopping = inputs.stop(deadline.signal).then(() => (stopped = true))
    await settle()
    expect([binding.closed, stopped]).toEqual([true, false])
    deadline.abort()
    expect(await reply).toMatchObject({ settlement: 'nack' })
    await stopping
  })
})

describe('input bindings of an application that speaks gRPC', () => {
  const refusing = (code: GrpcError['code']) => () => {
    throw new GrpcError(code, 'no')
  }

  it.each([
    ['a list with its name', () => ({ bindings: ['other', 'ticks'] }), 1, []],
    ['a list without it', () => ({ bindings: ['/ticks', 'jobs'] }), 0, []],
    ['that it does not know the method', refusing(grpcStatus.UNIMPLEMENTED), 0, []],
    ['an error', refusing(grpcStatus.INTERNAL), 0, [expect.stringContaining('ListInputBindings')]],
  ])('asks for a list, and takes %s for what it is', async (_, listInputBindings, reads, errors) => {
    const app = new FakeGrpcApp({ listInputBindings })
    const { binding, inputs, logger } = setUpWith(app, { route: '/jobs' })
    await inputs.start()
    await inputs.start()
    expect([binding.reads, app.calls.map(({ name }) => name)]).toEqual([reads, ['listInputBindings']])
    expect(logger.messages('error')).toEqual(errors)
    await inputs.stop()
  })

  it('asks again on resume when it was not there', async () => {
    const app = new FakeGrpcApp({ listInputBindings: () => ({ bindings: ['ticks'] }) })
    const { binding, inputs, logger } = setUpWith(app)
    app.down = true
    await inputs.start()
    expect([binding.reads, logger.messages('warn')]).toEqual([
      0,
      [expect.stringContaining('ListInputBindings')],
    ])
    app.down = false
    inputs.resume()
    await settle()
    expect(binding.reads).toBe(1)
    await inputs.stop()
  })

  it('tells it of events and hands the answer back', async () => {
    const app = new FakeGrpcApp({ onBindingEvent: () => ({ data: Buffer.from('done') }) })
    const { binding, clock, inputs } = setUpWith(app, { direction: 'input', route: '/jobs' })
    await inputs.start()
    expect(await binding.emit('{}', { readTimeUTC: 'now' })).toEqual({
      settlement: 'ack',
      data: new Uint8Array(Buffer.from('done')),
    })
    expect(app.calls).toMatchObject([
      {
        name: 'onBindingEvent',
        request: { name: 'ticks', data: new Uint8Array(Buffer.from('{}')), metadata: { readTimeUTC: 'now' } },
      },
    ])
    expect(Object.fromEntries(app.calls[0]!.metadata)).toEqual({ traceparent: '00-t' })
    app.handlers = { onBindingEvent: refusing(grpcStatus.ABORTED) }
    expect(await binding.emit('{}')).toMatchObject({
      settlement: 'nack',
      error: { code: grpcStatus.ABORTED, message: 'no' },
    })
    app.down = true
    const down = binding.emit('{}')
    await clock.advance(1000)
    expect(await down).toMatchObject({ settlement: 'nack', error: { code: grpcStatus.UNAVAILABLE } })
    await inputs.stop()
  })
})

describe('invokeBinding', () => {
  const bindings = new Map([
    ['store', live('store', new FakeBinding())],
    ['source', live('source', new FakeBinding(), { direction: 'input' })],
  ])
  const invoke = (name: string, operation: string) =>
    invokeBinding(bindings, name, { operation, data: Buffer.from('x'), metadata: {} }, {})

  it('passes the request on', async () => {
    expect(await invoke('store', 'create')).toEqual({ data: Buffer.from('x') })
  })

  it.each([
    ['none', 'create', 'not-found', "couldn't find output binding none"],
    ['source', 'create', 'not-found', "couldn't find output binding source"],
    ['store', '', 'operation-missing', 'operation field is missing'],
    ['store', 'list', 'operation-unsupported', 'supported operations: create get'],
    ['store', 'get', 'invoke-failed', 'nothing there'],
  ])('refuses %s %s with %s', async (name, operation, kind, message) => {
    await expect(invoke(name, operation)).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message) as string,
    })
  })
})
