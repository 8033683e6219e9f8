import type { HttpRoute } from '../../server/router.ts'
import { ApiError } from '../api-error.ts'

export interface HealthSource {
  readonly appId: string
  /** Names of what is not ready yet; empty when everything is. */
  unready(): readonly string[]
  /** Whether components can be used: the application may be missing still. */
  outboundReady(): boolean
}

/** The health routes of the HTTP API. */
export function healthRoutes(source: HealthSource): HttpRoute[] {
  return [
    {
      name: 'Healthz',
      methods: ['GET'],
      path: 'v1.0/healthz',
      light: true,
      open: true,
      handle(call) {
        const unready = source.unready()
        if (unready.length > 0) {
          throw new ApiError('HEALTH_NOT_READY', `dapr is not ready: [${unready.join(' ')}]`)
        }
        const wanted = call.query('appid')
        if (wanted !== undefined && wanted !== source.appId) {
          throw new ApiError('HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match')
        }
        call.response.send(204)
      },
    },
    {
      name: 'HealthzOutbound',
      methods: ['GET'],
      path: 'v1.0/healthz/outbound',
      light: true,
      open: true,
      handle(call) {
        if (!source.outboundReady())
          throw new ApiError('OUTBOUND_HEALTH_NOT_READY', 'dapr outbound is not ready')
        call.response.send(204)
      },
    },
  ]
}
