import { grpcStatus, isGrpcError, type GrpcRoute, type ServerCall } from '@outrigger/wire/grpc'
import { expect, test } from 'vitest'
import { Dapr } from './runtime.ts'
import { reflectionRoutes, routesOf } from './serve.ts'
import { detailsOf, grpcError } from './status.ts'

const call = {} as ServerCall

test('a route has the path and kind of its method, and its handler', async () => {
  const routes = routesOf(Dapr, {
    getState: ({ key }) => ({ data: new TextEncoder().encode(key), etag: '1' }),
    async *subscribeConfiguration({ keys }) {
      yield* keys.map((id) => ({ id }))
    },
  })
  expect(routes.map(({ method: { path, kind } }) => [path, kind])).toEqual([
    ['/dapr.proto.runtime.v1.Dapr/GetState', 'unary'],
    ['/dapr.proto.runtime.v1.Dapr/SubscribeConfiguration', 'server-stream'],
  ])
  const [get, subscribe] = routes as [GrpcRoute, GrpcRoute]
  const { input, output } = get.method
  const answer: unknown = await get.handle(input.decode(input.encode({ storeName: 's', key: 'k' })), call)
  expect(output.decode(output.encode(answer))).toMatchObject({ data: Uint8Array.of(107), etag: '1' })
  const ids = []
  const handle = subscribe.handle as (request: object, call: ServerCall) => AsyncIterable<unknown>
  for await (const message of handle({ keys: ['a', 'b'] }, call)) ids.push(message)
  expect(ids).toEqual([{ id: 'a' }, { id: 'b' }])
})

test('a handler for a method that there is not is a mistake found at load', () => {
  const handlers = { getStates: () => ({}) } as object
  expect(() => routesOf(Dapr, handlers)).toThrow('dapr.proto.runtime.v1.Dapr has no method getStates')
})

test('reflection is served in both generations and lists itself', async () => {
  const routes = reflectionRoutes([Dapr])
  expect(routes.map(({ method }) => method.path)).toEqual([
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  ])
  for (const { method, handle } of routes) {
    const requests = [{ messageRequest: { case: 'listServices', value: '' } }, {}]
    const answers: unknown[] = []
    for await (const answer of handle(decoded(method, requests), call)) {
      answers.push(method.output.decode(method.output.encode(answer)))
    }
    expect(answers).toMatchObject([
      {
        messageResponse: {
          case: 'listServicesResponse',
          value: {
            service: [
              { name: 'dapr.proto.runtime.v1.Dapr' },
              { name: 'grpc.reflection.v1.ServerReflection' },
              { name: 'grpc.reflection.v1alpha.ServerReflection' },
            ],
          },
        },
      },
      { messageResponse: { case: 'errorResponse' } },
    ])
  }
})

async function* decoded({ input }: GrpcRoute['method'], messages: object[]): AsyncIterable<unknown> {
  for (const message of messages) yield input.decode(input.encode(message))
}

test('an error carries its details, and gives them back', () => {
  const details = { reason: 'DAPR_STATE_NOT_FOUND', domain: 'dapr.io', metadata: {} }
  const error = grpcError({ code: grpcStatus.INVALID_ARGUMENT, message: 'no store', details }, { cause: 'c' })
  expect(isGrpcError(error)).toBe(true)
  expect(error).toMatchObject({ code: 3, message: 'no store', cause: 'c' })
  expect(detailsOf(error)).toEqual(details)
})
