import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import {
  failMessage,
  statusBytes,
  type Call,
  type Caller,
  type CallOptions,
  type Method,
  type Outcome,
} from './peer.ts'

const mebibyte = 1024 * 1024
const large = Buffer.alloc(mebibyte, 'large')
const textValue = 'a text: 100%, "quoted"; ~'
const binaryValue = Buffer.of(0, 1, 2, 253, 254, 255, 44)
/** As a rule a call is under way by then. */
const deadlineMs = 250
const hour = '3600000'

type Case = (caller: Caller) => Promise<void>

const small = (index: number): Uint8Array => Buffer.from(`message ${index}`)
const mebibytes = (): Uint8Array => large

/** What every client must be able to do with every server. The programs in Go and Java have the same cases. */
export const cases: Readonly<Record<string, Case>> = {
  unary_small: echoes(Buffer.from('hello')),
  unary_empty: echoes(Buffer.alloc(0)),
  unary_3mib: echoes(Buffer.alloc(3 * mebibyte, 3)),
  unary_5mib_sent: async (caller) => isCode(await unary(caller, Buffer.alloc(5 * mebibyte)), 8),
  unary_5mib_received: async (caller) =>
    isCode(await unary(caller, small(0), { metadata: { 'x-size': String(5 * mebibyte) } }), 8),
  ...Object.fromEntries(
    [0, 1, 100, 2000].flatMap((count): [string, Case][] => [
      [`server_stream_${count}`, (caller) => serverStream(caller, count, Buffer.from('again'))],
      [`client_stream_${count}`, (caller) => clientStream(caller, count, small)],
      [`bidi_${count}`, (caller) => bidi(caller, count, small)],
    ]),
  ),
  bidi_ping_pong: pingPong,
  large_server_stream: (caller) => serverStream(caller, 64, large),
  large_client_stream: (caller) => clientStream(caller, 64, mebibytes),
  large_bidi: (caller) => bidi(caller, 64, mebibytes),
  metadata_unary: metadataOf('Unary'),
  metadata_stream: metadataOf('ServerStream'),
  error_unary: async (caller) => isFailure(await unary(caller, small(0), { metadata: { 'x-fail': '9' } }), 9),
  error_before_messages: failsAfter(0),
  error_after_messages: failsAfter(3),
  error_client_stream: failsSending('ClientStream', 10, small, {}),
  error_early_client_stream: failsSending('ClientStream', 64, mebibytes, { 'x-early': '1' }),
  error_early_bidi: failsSending('Bidi', 64, mebibytes, { 'x-early': '1' }),
  deadline_unary: async (caller) => {
    const metadata = { 'x-id': 'deadline-unary', 'x-delay-ms': hour }
    isCode(await unary(caller, small(0), { metadata, timeoutMs: deadlineMs }), 4)
    await reached(caller, 'deadline-unary', 'over')
  },
  deadline_stream: async (caller) => {
    const requests = new Requests()
    requests.send(small(0))
    const metadata = { 'x-id': 'deadline-stream' }
    const result = await collect(caller.call('Bidi', requests, { metadata, timeoutMs: deadlineMs }))
    isCode(result, 4)
    assert.ok(result.messages.length <= 1)
    await reached(caller, 'deadline-stream', 'over')
  },
  cancel_unary: async (caller) => {
    const controller = new AbortController()
    const metadata = { 'x-id': 'cancel-unary', 'x-delay-ms': hour }
    const result = unary(caller, small(0), { metadata, signal: controller.signal })
    await reached(caller, 'cancel-unary', 'started')
    controller.abort()
    isCode(await result, 1)
    await reached(caller, 'cancel-unary', 'over')
  },
  cancel_server_stream: async (caller) => {
    const controller = new AbortController()
    const metadata = { 'x-id': 'cancel-server-stream', 'x-count': '1000000000' }
    const call = caller.call('ServerStream', one(Buffer.alloc(1000)), { metadata, signal: controller.signal })
    let count = 0
    for await (const message of call.messages) {
      assert.equal(message.length, 1000)
      if (++count === 10) controller.abort()
    }
    assert.ok(count >= 10)
    assert.equal((await call.outcome).code, 1)
    await reached(caller, 'cancel-server-stream', 'over')
  },
  cancel_bidi: async (caller) => {
    const controller = new AbortController()
    const requests = new Requests()
    requests.send(small(0))
    const metadata = { 'x-id': 'cancel-bidi' }
    const call = caller.call('Bidi', requests, { metadata, signal: controller.signal })
    for await (const message of call.messages) {
      assert.deepEqual(Buffer.from(message), small(0))
      controller.abort()
    }
    assert.equal((await call.outcome).code, 1)
    await reached(caller, 'cancel-bidi', 'over')
  },
  concurrent_200: async (caller) => {
    const metadata = { 'x-delay-ms': '100' }
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) => unary(caller, small(index), { metadata })),
    )
    for (const [index, result] of results.entries()) {
      isCode(result, 0)
      same(result.messages, 1, () => small(index))
    }
  },
  gzip_unary: echoes(Buffer.from('compress me '.repeat(10_000)), { gzip: true }),
  gzip_bidi: (caller) => bidi(caller, 100, small, { gzip: true }),
  unknown_method: async (caller) => isCode(await collect(caller.call('Nothing', one(small(0)))), 12),
}

interface Result extends Outcome {
  readonly messages: readonly Uint8Array[]
}

async function collect(call: Call): Promise<Result> {
  const messages: Uint8Array[] = []
  for await (const message of call.messages) messages.push(message)
  return { ...(await call.outcome), messages }
}

async function* one(message: Uint8Array): AsyncGenerator<Uint8Array> {
  yield message
}

async function* many(count: number, message: (index: number) => Uint8Array): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield message(index)
}

/** Requests that are sent one by one. */
class Requests implements AsyncIterable<Uint8Array> {
  private readonly waiting: (Uint8Array | undefined)[] = []
  private wake: (() => void) | undefined

  send(message: Uint8Array | undefined): void {
    this.waiting.push(message)
    this.wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.waiting.length === 0) await new Promise<void>((resolve) => (this.wake = resolve))
      const message = this.waiting.shift()
      if (message === undefined) return
      yield message
    }
  }
}

function isCode(result: Outcome, code: number): void {
  assert.equal(result.code, code, `${result.code} ${result.message}`)
}

function isFailure(result: Outcome, code: number): void {
  assert.equal(`${result.code} ${result.message}`, `${code} ${failMessage}`)
  assert.deepEqual(Buffer.from(result.details ?? []), statusBytes(code))
}

function same(messages: readonly Uint8Array[], count: number, expected: (index: number) => Uint8Array): void {
  assert.equal(messages.length, count)
  for (const [index, message] of messages.entries()) {
    assert.ok(Buffer.compare(message, expected(index)) === 0, `message ${index} is another one`)
  }
}

function unary(caller: Caller, payload: Uint8Array, options?: CallOptions): Promise<Result> {
  return collect(caller.call('Unary', one(payload), options))
}

function echoes(payload: Uint8Array, options?: CallOptions): Case {
  return async (caller) => {
    const result = await unary(caller, payload, options)
    isCode(result, 0)
    same(result.messages, 1, () => payload)
  }
}

async function serverStream(caller: Caller, count: number, payload: Uint8Array): Promise<void> {
  const result = await collect(
    caller.call('ServerStream', one(payload), { metadata: { 'x-count': String(count) } }),
  )
  isCode(result, 0)
  same(result.messages, count, () => payload)
}

async function clientStream(
  caller: Caller,
  count: number,
  message: (index: number) => Uint8Array,
): Promise<void> {
  let total = 0
  for (let index = 0; index < count; index++) total += message(index).length
  const result = await collect(caller.call('ClientStream', many(count, message)))
  isCode(result, 0)
  same(result.messages, 1, () => Buffer.from(String(total)))
}

async function bidi(
  caller: Caller,
  count: number,
  message: (index: number) => Uint8Array,
  options?: CallOptions,
): Promise<void> {
  const result = await collect(caller.call('Bidi', many(count, message), options))
  isCode(result, 0)
  same(result.messages, count, message)
}

async function pingPong(caller: Caller): Promise<void> {
  const requests = new Requests()
  requests.send(small(0))
  const call = caller.call('Bidi', requests)
  let count = 0
  for await (const message of call.messages) {
    assert.deepEqual(Buffer.from(message), small(count++))
    requests.send(count < 100 ? small(count) : undefined)
  }
  isCode(await call.outcome, 0)
  assert.equal(count, 100)
}

function metadataOf(method: Method): Case {
  return async (caller) => {
    const metadata = { 'x-echo': textValue, 'x-echo-bin': binaryValue }
    const result = await collect(caller.call(method, one(small(0)), { metadata }))
    isCode(result, 0)
    assert.equal(result.initial, textValue)
    assert.deepEqual(Buffer.from(result.trailer ?? []), binaryValue)
  }
}

function failsAfter(count: number): Case {
  return async (caller) => {
    const metadata = { 'x-count': String(count), 'x-fail': '5' }
    const result = await collect(caller.call('ServerStream', one(small(0)), { metadata }))
    isFailure(result, 5)
    same(result.messages, count, () => small(0))
  }
}

function failsSending(
  method: Method,
  count: number,
  message: (index: number) => Uint8Array,
  more: Readonly<Record<string, string>>,
): Case {
  return async (caller) => {
    const result = await collect(
      caller.call(method, many(count, message), { metadata: { ...more, 'x-fail': '10' } }),
    )
    isFailure(result, 10)
    assert.equal(result.messages.length, 0)
  }
}

/** Waits until the server says that the call has come so far. The deadline only ends what failed already. */
async function reached(caller: Caller, id: string, state: 'started' | 'over'): Promise<void> {
  const until = performance.now() + 20_000
  for (;;) {
    const result = await unary(caller, small(0), { metadata: { 'x-state': id } })
    isCode(result, 0)
    const found = Buffer.from(result.messages[0]!).toString()
    // A call that was over before the server saw it is over as well.
    if (state === 'over' ? found !== 'started' : found === state) return
    if (performance.now() > until) throw new Error(`the server says that ${id} is ${found}, not ${state}`)
    await delay(5)
  }
}
