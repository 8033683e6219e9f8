import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  HealthCheckResponse_ServingStatus as Status,
  type HealthCheckRequest,
  type HealthCheckResponseSchema,
  type HealthListResponseSchema,
} from './generated/grpc/health/v1/health_pb.ts'

export * from './generated/grpc/health/v1/health_pb.ts'

/** Whether each service serves, by full name; '' is the server as a whole. */
export type Serving = ReadonlyMap<string, boolean>

/** The answer to Check; `undefined` for a service that there is not: NOT_FOUND. */
export function checkHealth(
  { service }: Pick<HealthCheckRequest, 'service'>,
  serving: Serving,
): MessageInitShape<typeof HealthCheckResponseSchema> | undefined {
  const serves = serving.get(service)
  return serves === undefined ? undefined : { status: statusOf(serves) }
}

/** The next message of a Watch. Send it at first and when it differs from the last one. */
export function watchHealth(
  { service }: Pick<HealthCheckRequest, 'service'>,
  serving: Serving,
): MessageInitShape<typeof HealthCheckResponseSchema> {
  return { status: statusOf(serving.get(service)) }
}

/** The answer to List. */
export function listHealth(serving: Serving): MessageInitShape<typeof HealthListResponseSchema> {
  const statuses: Record<string, MessageInitShape<typeof HealthCheckResponseSchema>> = {}
  for (const [service, serves] of serving) statuses[service] = { status: statusOf(serves) }
  return { statuses }
}

function statusOf(serves: boolean | undefined): Status {
  if (serves === undefined) return Status.SERVICE_UNKNOWN
  return serves ? Status.SERVING : Status.NOT_SERVING
}
