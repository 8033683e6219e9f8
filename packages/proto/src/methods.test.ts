import { create, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { AppCallback, AppCallbackAlpha, AppCallbackHealthCheck } from './appcallback.ts'
import * as components from './components.ts'
import { ServiceInvocation } from './internals.ts'
import { methodsOf, pathsOf } from './methods.ts'
import { Dapr, GetStateResponseSchema } from './runtime.ts'
import { Scheduler } from './scheduler.ts'

const dapr = methodsOf(Dapr)

test('the services have all their methods', () => {
  expect(pathsOf(Dapr)).toHaveLength(72)
  expect(new Set(Object.values(dapr).map(({ path }) => path))).toEqual(new Set(pathsOf(Dapr)))
  const callbacks = [AppCallback, AppCallbackHealthCheck, AppCallbackAlpha].map(
    (service) => pathsOf(service).length,
  )
  expect(callbacks).toEqual([7, 1, 2])
  expect(pathsOf(ServiceInvocation)).toHaveLength(5)
  const { InputBinding, OutputBinding, PubSub, SecretStore, StateStore } = components
  const { QueriableStateStore, TransactionalStateStore, TransactionalStoreMultiMaxSize } = components
  const pluggable = [InputBinding, OutputBinding, PubSub, SecretStore, StateStore]
  const abilities = [QueriableStateStore, TransactionalStateStore, TransactionalStoreMultiMaxSize]
  expect([...pluggable, ...abilities].map((service) => pathsOf(service).length)).toEqual([
    3, 4, 8, 5, 9, 1, 1, 1,
  ])
})

test('every kind of streaming is told', () => {
  expect(dapr.getState).toMatchObject({ path: '/dapr.proto.runtime.v1.Dapr/GetState', kind: 'unary' })
  expect(dapr.subscribeConfiguration.kind).toBe('server-stream')
  expect(dapr.encryptAlpha1.kind).toBe('bidi')
  expect(methodsOf(ServiceInvocation).callActorStream.kind).toBe('server-stream')
  expect(methodsOf(Scheduler).watchJobs.kind).toBe('bidi')
  const streaming = Object.values(dapr).filter(({ kind }) => kind !== 'unary')
  expect(streaming).toHaveLength(6)
})

test('messages and plain objects become the same bytes, and come back', () => {
  const { output } = dapr.getState
  const plain = { data: Uint8Array.of(1, 2), etag: '7', metadata: { a: 'b' } }
  const bytes = output.encode(plain)
  expect(bytes).toEqual(output.encode(create(GetStateResponseSchema, plain)))
  expect([...bytes]).toEqual([10, 2, 1, 2, 18, 1, 55, 26, 6, 10, 1, 97, 18, 1, 98])
  expect(output.decode(bytes)).toMatchObject(plain)
})

test('an empty message is no bytes, and every default comes back', () => {
  expect(dapr.getState.output.encode({})).toHaveLength(0)
  const { data, etag, metadata } = dapr.getState.output.decode(new Uint8Array())
  expect([data, etag, metadata]).toEqual([new Uint8Array(), '', {}])
})

test('fields of a later version survive', () => {
  const { input } = dapr.getSecret
  const bytes = Uint8Array.of(10, 1, 115, 0xf8, 0x7f, 5)
  expect(input.encode(input.decode(bytes))).toEqual(bytes)
})

test.each([
  ['cut off', [10, 200]],
  ['a field of number 0', [0, 0]],
  ['an endless varint', Array.from({ length: 12 }, () => 0xff)],
  ['an end without a group', [0x0c]],
])('bytes that are no message are refused: %s', (_, bytes) => {
  expect(() => dapr.getState.input.decode(Uint8Array.from(bytes))).toThrow()
})

test('text that is not UTF-8 is refused', () => {
  expect(() => dapr.getState.input.decode(Uint8Array.of(10, 2, 0xc3, 0x28))).toThrow()
})

test('nesting has an end', () => {
  // A Value within a list within a Value, and so on.
  let value = Uint8Array.of()
  for (let depth = 0; depth < 200; depth++) value = wrapped(50, wrapped(10, value))
  const extensions = wrapped(10, Uint8Array.from([...wrapped(10, Uint8Array.of(97)), ...wrapped(18, value)]))
  const bytes = wrapped(82, extensions)
  expect(() => methodsOf(AppCallback).onTopicEvent.input.decode(bytes)).toThrow('depth')
})

function wrapped(tag: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length: number[] = []
  let rest = bytes.length
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128)
  return Uint8Array.from([tag, ...length, rest, ...bytes])
}

test('tables share the codec of a message', () => {
  expect(dapr.getConfiguration.input).toBe(dapr.getConfigurationAlpha1.input)
  expect(dapr.saveState.output.encode({})).toEqual(
    toBinary(Dapr.method.saveState.output, create(Dapr.method.saveState.output)),
  )
})
