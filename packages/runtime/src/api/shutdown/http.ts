import type { HttpRoute } from '../../server/router.ts'

/** The shutdown route. `request` is told once; `force` means that draining is not wanted. */
export function shutdownRoutes(request: (force: boolean) => void): HttpRoute[] {
  return [
    {
      name: 'Shutdown',
      methods: ['POST'],
      path: 'v1.0/shutdown',
      light: true,
      handle(call) {
        const force = call.request.fields.get('dapr-force-shutdown')
        call.response.send(204)
        request(force === 'true' || force === '1')
      },
    },
  ]
}
