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

/** What serves, for as long as a process lives. Whoever watches hears of changes. */
export class ServingState {
  readonly #serving: Map<string, boolean>
  #change = Promise.withResolvers<void>()
  #stopped = false

  /** The server as a whole and these services serve from the start. */
  constructor(services: readonly string[] = []) {
    this.#serving = new Map(['', ...services].map((service) => [service, true]))
  }

  get serving(): Serving {
    return this.#serving
  }

  set(service: string, serves: boolean): void {
    if (this.#stopped || this.#serving.get(service) === serves) return
    this.#serving.set(service, serves)
    this.#tell()
  }

  /** Nothing serves any more, whatever is set later: for the time in which a server drains. */
  stop(): void {
    this.#stopped = true
    for (const service of this.#serving.keys()) this.#serving.set(service, false)
    this.#tell()
  }

  /** Resolves at the next change. */
  changed(): Promise<void> {
    return this.#change.promise
  }

  #tell(): void {
    const { resolve } = this.#change
    this.#change = Promise.withResolvers()
    resolve()
  }
}

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
