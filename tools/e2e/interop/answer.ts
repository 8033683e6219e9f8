import { setTimeout as delay } from 'node:timers/promises'
import type { Method } from './peer.ts'

/** What became of the calls that have an `x-id`: a call is over when its handler has come to an end. */
export type States = Map<string, 'started' | 'over'>

/** A call as the servers of this language see it, whatever their library. */
export interface Context {
  readonly states: States
  readonly signal: AbortSignal
  /** Request metadata; binary values as base64. */
  get(name: string): string | undefined
  setInitial(name: string, value: string): void
  setTrailer(name: string, base64: string): void
  failure(code: number): Error
}

/** The behaviour of the service: what the metadata of a call asks for. */
export async function* answer(
  method: Method,
  requests: AsyncIterable<Uint8Array>,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const id = context.get('x-id')
  if (id === undefined) return yield* answerUnseen(method, requests, context)
  context.states.set(id, 'started')
  try {
    yield* answerUnseen(method, requests, context)
  } finally {
    context.states.set(id, 'over')
  }
}

async function* answerUnseen(
  method: Method,
  requests: AsyncIterable<Uint8Array>,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const { signal } = context
  const number = (name: string): number => Number(context.get(name) ?? 0)
  const text = context.get('x-echo')
  if (text !== undefined) context.setInitial('x-echo', text)
  const binary = context.get('x-echo-bin')
  if (binary !== undefined) context.setTrailer('x-echo-bin', binary)
  if (number('x-delay-ms') > 0) await delay(number('x-delay-ms'), undefined, { signal })
  if (context.get('x-early') === undefined) yield* reply(method, requests, context)
  const code = number('x-fail')
  if (code !== 0) throw context.failure(code)
}

async function* reply(
  method: Method,
  requests: AsyncIterable<Uint8Array>,
  context: Context,
): AsyncGenerator<Uint8Array> {
  if (method === 'Bidi') {
    yield* requests
    return
  }
  let total = 0
  let last: Uint8Array = new Uint8Array(0)
  for await (const request of requests) {
    total += request.length
    last = request
  }
  const fails = context.get('x-fail') !== undefined
  const asked = context.get('x-state')
  const size = context.get('x-size')
  const payload = size === undefined ? last : new Uint8Array(Number(size))
  if (method === 'ServerStream') {
    const count = Number(context.get('x-count') ?? 1)
    for (let index = 0; index < count; index++) yield payload
  } else if (fails) return
  else if (method === 'ClientStream') yield Buffer.from(String(total))
  else if (asked === undefined) yield payload
  else yield Buffer.from(context.states.get(asked) ?? 'unknown')
}

export async function first(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let found: Uint8Array | undefined
  for await (const message of messages) found ??= message
  if (found === undefined) throw new Error('no message')
  return found
}

export async function* one(message: Uint8Array): AsyncGenerator<Uint8Array> {
  yield message
}
