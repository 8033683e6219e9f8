import type {
  HttpMiddleware,
  HttpMiddlewareDefinition,
  MiddlewareCapability,
  MiddlewareResponse,
} from '@outrigger/spec'
import { expect } from 'vitest'
import { commonCases } from '../common.ts'
import type { Fixture, SuiteOptions } from '../fixture.ts'
import { registerSuite, type Case, type Suite } from '../suite.ts'
import { answered, exchange, TestRequest, type MiddlewareAnswer, type MiddlewareInput } from './exchange.ts'

/** What the middleware suite can be told. */
export interface MiddlewareSuiteOptions extends SuiteOptions {
  /** A request that comes through; called for every request, as a token may be needed. `GET /` without it. */
  readonly passing?: (() => MiddlewareInput | Promise<MiddlewareInput>) | undefined
  /** A request that the middleware answers itself, and the status of that. */
  readonly refused?:
    | { readonly input: () => MiddlewareInput | Promise<MiddlewareInput>; readonly status: number }
    | undefined
  /** The body that comes through where `sent` was sent; the same without it. */
  readonly requestBody?: ((sent: string) => string) | undefined
  /** The body that comes back where `answered` was answered; the same without it. */
  readonly responseBody?: ((answered: string) => string) | undefined
  /** The middleware takes these bodies whole. */
  readonly buffers?: readonly ('request' | 'response')[] | undefined
}

type Setup = Fixture<MiddlewareCapability, HttpMiddleware, MiddlewareSuiteOptions>
type MiddlewareCase = Case<MiddlewareCapability, HttpMiddleware, MiddlewareSuiteOptions>

async function passing({ options }: Setup, more: MiddlewareInput = {}): Promise<MiddlewareInput> {
  return { ...(await options.passing?.()), ...more }
}

const answer: MiddlewareAnswer = {
  status: 207,
  fields: [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['x-app', 'yes'],
  ],
  body: 'Answer é',
}

/** Chunks that come one by one, when the test says so. */
function handFed() {
  const waiting: PromiseWithResolvers<Uint8Array | undefined>[] = [Promise.withResolvers()]
  return {
    send(chunk: string | undefined): void {
      waiting.at(-1)!.resolve(chunk === undefined ? undefined : Buffer.from(chunk))
      waiting.push(Promise.withResolvers())
    },
    stream: (async function* () {
      for (;;) {
        const chunk = await waiting[0]!.promise
        waiting.shift()
        if (chunk === undefined) return
        yield chunk
      }
    })(),
  }
}

const cases: readonly MiddlewareCase[] = [
  {
    name: 'a request comes through once, and its answer comes back as it was',
    run: async (fixture) => {
      const { instance, options } = fixture
      const outcome = await fixture.within(
        'the answer',
        exchange(instance, await passing(fixture), () => answer),
      )
      expect(outcome.passed, 'the request must come through').toBeDefined()
      expect(outcome.status).toBe(207)
      expect(outcome.fields.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
      expect(outcome.fields.get('x-app')).toBe('yes')
      expect(outcome.text).toBe((options.responseBody ?? String)('Answer é'))
    },
  },
  {
    name: 'method, fields that are not its own, and body come through',
    run: async (fixture) => {
      const { instance, options } = fixture
      const { fields, ...input } = await passing(fixture, { body: 'Body é' })
      const own = fields === undefined ? [] : Array.isArray(fields) ? fields : Object.entries(fields)
      const more = [
        ['x-many', 'a'],
        ['x-many', 'b'],
        ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ] as const
      const sent = { method: 'PUT', ...input, fields: [...own, ...more] as [string, string][] }
      const { passed } = await fixture.within('the answer', exchange(instance, sent))
      expect(passed?.method).toBe(sent.method)
      expect(passed?.fields.getAll('x-many')).toEqual(['a', 'b'])
      expect(passed?.fields.get('traceparent')).toBe(more[2][1])
      expect(passed?.text).toBe((options.requestBody ?? String)('Body é'))
    },
  },
  {
    name: 'a request that is refused comes to nobody',
    unless: (options) => (options.refused === undefined ? 'it refuses nothing' : undefined),
    run: async (fixture) => {
      const { input, status } = fixture.options.refused!
      const outcome = await fixture.within('the answer', exchange(fixture.instance, await input()))
      expect(outcome.passed).toBeUndefined()
      expect(outcome.status).toBe(status)
    },
  },
  {
    name: 'the body of a request is not read ahead of those behind',
    unless: (options) =>
      options.buffers?.includes('request') === true ? 'it takes the body whole' : undefined,
    run: async (fixture) => {
      const source = handFed()
      const sent = new TestRequest(await passing(fixture, { method: 'POST', body: source.stream }))
      let behind: TestRequest | undefined
      const arrived = Promise.withResolvers<void>()
      const done = Promise.withResolvers<MiddlewareResponse>()
      const handled = fixture.instance.handle(sent, (request) => {
        behind = request as TestRequest
        arrived.resolve()
        return done.promise
      })
      await fixture.within('the request to come through', arrived.promise)
      const reader = behind!.body[Symbol.asyncIterator]()
      const map = fixture.options.requestBody ?? String
      for (const chunk of ['one ', 'two ']) {
        const next = reader.next()
        source.send(chunk)
        const { value } = await fixture.within(`the chunk ${chunk}`, next)
        expect(Buffer.from(value!).toString()).toBe(map(chunk))
      }
      source.send(undefined)
      expect((await fixture.within('the end of the body', reader.next())).done).toBe(true)
      done.resolve(answered({}))
      await fixture.within('the answer', handled)
    },
  },
  {
    name: 'the body of an answer is not waited for',
    unless: (options) =>
      options.buffers?.includes('response') === true ? 'it takes the body whole' : undefined,
    run: async (fixture) => {
      const source = handFed()
      const sent = new TestRequest(await passing(fixture))
      const handled = fixture.instance.handle(sent, () => Promise.resolve(answered({ body: source.stream })))
      const { body } = await fixture.within('the head of the answer', handled)
      const reader = body[Symbol.asyncIterator]()
      const map = fixture.options.responseBody ?? String
      for (const chunk of ['one ', 'two ']) {
        const next = reader.next()
        source.send(chunk)
        const { value } = await fixture.within(`the chunk ${chunk}`, next)
        expect(Buffer.from(value as Uint8Array).toString()).toBe(map(chunk))
      }
      source.send(undefined)
      expect((await fixture.within('the end of the body', reader.next())).done).toBe(true)
    },
  },
  {
    name: 'errors of those behind pass as they are',
    run: async (fixture) => {
      const error = new Error('the connection broke')
      const handled = exchange(fixture.instance, await passing(fixture), () => Promise.reject(error))
      await expect(fixture.within('the error', handled)).rejects.toBe(error)
    },
  },
  {
    name: 'many requests at once do not touch each other',
    run: async (fixture) => {
      const { instance, options } = fixture
      const inputs = await Promise.all(
        Array.from({ length: 20 }, (_, n) => passing(fixture, { body: `body ${n}` })),
      )
      const waiting = Promise.withResolvers<void>()
      const outcomes = Promise.all(
        inputs.map((input, n) =>
          exchange(instance, input, async () => {
            // The last one lets all of them go.
            if (n === inputs.length - 1) waiting.resolve()
            await waiting.promise
            return { body: `answer ${n}` }
          }),
        ),
      )
      const texts = (await fixture.within('all answers', outcomes)).map(({ passed, text }) => [
        passed?.text,
        text,
      ])
      const [asked, given] = [options.requestBody ?? String, options.responseBody ?? String]
      expect(texts).toEqual(inputs.map((_, n) => [asked(`body ${n}`), given(`answer ${n}`)]))
    },
  },
]

export const middlewareSuite: Suite<MiddlewareCapability, HttpMiddleware, MiddlewareSuiteOptions> = {
  kind: 'HTTP middleware',
  cases: [
    ...commonCases<MiddlewareCapability, HttpMiddleware, MiddlewareSuiteOptions>({
      contract: 'middleware.http/1',
      typePrefix: 'middleware.http',
      capabilities: [],
      methods: {},
    }),
    ...cases,
  ],
}

/** Registers the tests that an HTTP middleware must pass. */
export function middlewareConformance(
  definition: HttpMiddlewareDefinition,
  options: MiddlewareSuiteOptions,
): void {
  registerSuite(middlewareSuite, definition, options)
}
