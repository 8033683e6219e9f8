import { fields } from '@outrigger/kit'
import { defineHttpMiddleware, type HttpMiddleware, type Next } from '@outrigger/spec'
import { middlewareSuite } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

class ReferenceMiddleware implements HttpMiddleware {
  readonly capabilities = new Set<never>()
  handle: HttpMiddleware['handle'] = async (request, next) => {
    if (request.path === '/no') return request.respond(403)
    return next(request)
  }
  close = async (): Promise<void> => {}
}

/** Wraps what an instance does. */
function around(
  title: string,
  handle: (
    ...parameters: [...Parameters<HttpMiddleware['handle']>, Next]
  ) => ReturnType<HttpMiddleware['handle']>,
  ...caughtBy: string[]
): Mutant<ReferenceMiddleware> {
  return {
    title,
    break(instance) {
      const own = instance.handle
      instance.handle = (request, next) => handle(request, next, (it) => own(it, next))
    },
    caughtBy,
  }
}

const once = 'a request comes through once, and its answer comes back as it was'
const through = 'method, fields that are not its own, and body come through'

const mutants: readonly Mutant<ReferenceMiddleware>[] = [
  around('answers everything itself', async (request) => request.respond(207), once, through),
  around(
    'calls next twice',
    async (request, next, own) => {
      await own(request)
      return next(request)
    },
    once,
  ),
  around(
    'loses fields that are there twice',
    async (request, _, own) => {
      const response = await own(request)
      response.fields.set('set-cookie', response.fields.get('set-cookie') ?? '')
      return response
    },
    once,
  ),
  around(
    'changes the status',
    async (request, _, own) => {
      const response = await own(request)
      response.status = 200
      return response
    },
    once,
  ),
  around(
    'drops the fields of the request',
    (request, _, own) => {
      for (const [name] of [...(request.fields as unknown as Iterable<[string, string]>)])
        request.fields.delete(name)
      return own(request)
    },
    through,
  ),
  around(
    'drops the body of the request',
    (request, _, own) => {
      request.replaceBody('')
      return own(request)
    },
    through,
  ),
  around('refuses nothing', (request, next) => next(request), 'a request that is refused comes to nobody'),
  around(
    'takes the body of the request whole',
    async (request, _, own) => {
      request.replaceBody(await request.body.bytes())
      return own(request)
    },
    'the body of a request is not read ahead of those behind',
  ),
  around(
    'takes the body of the answer whole',
    async (request, _, own) => {
      const response = await own(request)
      response.replaceBody(await response.body.bytes())
      return response
    },
    'the body of an answer is not waited for',
  ),
  around(
    'wraps the errors of others',
    async (request, _, own) => {
      try {
        return await own(request)
      } catch (cause) {
        throw new Error('failed', { cause })
      }
    },
    'errors of those behind pass as they are',
  ),
  {
    title: 'serves one request after the other',
    break(instance) {
      const own = instance.handle
      let last: Promise<unknown> = Promise.resolve()
      instance.handle = (request, next) => {
        const mine = last.then(() => own(request, next))
        last = mine.catch(() => {})
        return mine
      }
    },
    caughtBy: ['many requests at once do not touch each other'],
  },
]

proveSuite(
  middlewareSuite,
  (mutate) =>
    defineHttpMiddleware({
      type: 'middleware.http.reference',
      title: 'Reference',
      versions: {
        v1: {
          metadata: fields({}),
          capabilities: [],
          create: () => {
            const instance = new ReferenceMiddleware()
            mutate?.(instance)
            return Promise.resolve(instance)
          },
        },
      },
    }),
  { properties: () => ({}), refused: { input: () => ({ target: '/no' }), status: 403 } },
  mutants as unknown as readonly Mutant<HttpMiddleware>[],
  ['ping answers where it exists'],
)
