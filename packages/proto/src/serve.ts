import type { DescMessage, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { GrpcError, grpcStatus, type GrpcRoute, type ServerCall } from '@outrigger/wire/grpc'
import { checkHealth, Health, listHealth, watchHealth, type ServingState } from './health.ts'
import { methodsOf, type Method } from './methods.ts'
import { createReflection, ServerReflection, ServerReflectionAlpha } from './reflection.ts'

interface Described {
  readonly input: DescMessage
  readonly output: DescMessage
  readonly methodKind: DescService['methods'][number]['methodKind']
}

/** What answers a method: requests are whole messages, answers may be plain objects. */
export type HandlerOf<M extends Described> = {
  unary: (
    request: MessageShape<M['input']>,
    call: ServerCall,
  ) => Answer<M['output']> | Promise<Answer<M['output']>>
  client_streaming: (
    requests: AsyncIterable<MessageShape<M['input']>>,
    call: ServerCall,
  ) => Answer<M['output']> | Promise<Answer<M['output']>>
  server_streaming: (
    request: MessageShape<M['input']>,
    call: ServerCall,
  ) => AsyncIterable<Answer<M['output']>>
  bidi_streaming: (
    requests: AsyncIterable<MessageShape<M['input']>>,
    call: ServerCall,
  ) => AsyncIterable<Answer<M['output']>>
}[M['methodKind']]

type Answer<D extends DescMessage> = MessageInitShape<D>

/** Handlers by the methods' names in TypeScript. What has none is not offered: UNIMPLEMENTED. */
export type HandlersOf<S extends DescService> = {
  readonly [K in keyof S['method']]?: HandlerOf<S['method'][K]>
}

/** The routes of a service for `createGrpcHandler`. Make them once, at load. */
export function routesOf<S extends DescService>(service: S, handlers: HandlersOf<S>): GrpcRoute[] {
  const methods: Readonly<Record<string, Method>> = methodsOf(service) as never
  return Object.entries(handlers).map(([name, handle]) => {
    const method = methods[name]
    if (method === undefined) throw new Error(`${service.typeName} has no method ${name}`)
    // Kind and handler belong together by HandlersOf; a loop cannot show it.
    return { method, handle } as unknown as GrpcRoute
  })
}

/** Server reflection, both generations, for these services and itself. */
export function reflectionRoutes(services: readonly DescService[]): GrpcRoute[] {
  const reflection = createReflection([...services, ServerReflection, ServerReflectionAlpha])
  return [
    ...routesOf(ServerReflection, {
      async *serverReflectionInfo(requests) {
        const sent = new Set<string>()
        for await (const request of requests) yield reflection.answer(request, sent)
      },
    }),
    ...routesOf(ServerReflectionAlpha, {
      async *serverReflectionInfo(requests) {
        const sent = new Set<string>()
        for await (const request of requests) yield reflection.answer(request, sent)
      },
    }),
  ]
}

/** The health service (grpc.health.v1) over what `state` says. */
export function healthRoutes(state: ServingState): GrpcRoute[] {
  return routesOf(Health, {
    check(request) {
      const answer = checkHealth(request, state.serving)
      if (answer === undefined) {
        throw new GrpcError(grpcStatus.NOT_FOUND, `there is no service ${request.service.slice(0, 200)}`)
      }
      return answer
    },
    list: () => listHealth(state.serving),
    async *watch(request, { signal }) {
      const gone = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      let last: number | undefined
      while (!signal.aborted) {
        const changed = state.changed()
        const answer = watchHealth(request, state.serving)
        if (answer.status !== last) yield answer
        last = answer.status
        await Promise.race([changed, gone])
      }
    },
  })
}
