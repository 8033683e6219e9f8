import { AppCallback } from '@outrigger/proto/appcallback'
import { ServingState } from '@outrigger/proto/health'
import { healthRoutes, reflectionRoutes, routesOf } from '@outrigger/proto/serve'
import { createServer } from '@outrigger/wire'
import { createGrpcHandler } from '@outrigger/wire/grpc'
import { afterAll, expect, it } from 'vitest'
import { go } from '../../interop/programs.ts'
import { describePeers } from './describe-peers.ts'

const service = AppCallback.typeName

describePeers('grpc-go asks a server about itself', go.missing, () => {
  const state = new ServingState([service])
  const handler = createGrpcHandler({
    routes: [
      ...routesOf(AppCallback, { listTopicSubscriptions: () => ({}) }),
      ...healthRoutes(state),
      ...reflectionRoutes([AppCallback]),
    ],
  })
  const server = createServer({ protocols: ['h2c'] }, handler)
  afterAll(() => server.close(AbortSignal.abort()))

  it('reads its services, their files and their health, and follows what becomes of it', async () => {
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
    const said: Record<string, unknown>[] = []
    for await (const line of go.report('inspect', `127.0.0.1:${port}`, service)) {
      said.push(line)
      if (line['watch'] !== 'SERVING') continue
      // Somebody else's change is none of this one's.
      state.set('another.Service', true)
      state.stop()
      state.set(service, true)
    }
    const [described, ...health] = said
    expect(described!['services']).toEqual([
      'dapr.proto.runtime.v1.AppCallback',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ])
    expect(described!['files']).toContain('dapr/proto/runtime/v1/appcallback.proto')
    expect(health).toEqual([
      { check: '', status: 'SERVING', code: 'OK' },
      { check: service, status: 'SERVING', code: 'OK' },
      { check: 'there.is.None', status: 'UNKNOWN', code: 'NotFound' },
      { list: 2 },
      { watch: 'SERVING' },
      { watch: 'NOT_SERVING' },
    ])
  }, 300_000)
})
