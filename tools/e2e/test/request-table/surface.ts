import { Dapr } from '@outrigger/proto/runtime'
import { errorTable, type ErrorId } from '@outrigger/runtime'

/** Methods of the gRPC API that no row calls, and why. */
const explained: readonly (readonly [RegExp, why: string])[] = [
  [/^shutdown$/, 'it ends the sidecar: the client tests call it'],
  [/^invokeService$/, 'service invocation has tests of its own'],
  [/actor|reminder|timer/i, 'actors'],
  [/workflow/i, 'workflow'],
  [/job/i, 'jobs'],
  [/^converse/, 'conversation'],
]

/** Names of the methods that are neither called nor explained. */
export function neverCalled(called: ReadonlySet<string>): string[] {
  return Object.keys(Dapr.method).filter(
    (name) => !called.has(name) && !explained.some(([pattern]) => pattern.test(name)),
  )
}

/** Errors that no row brings about, and why. */
const unreachable: Partial<Record<ErrorId, string>> = {
  API_UNIMPLEMENTED: 'of routes that are not built yet',
  MALFORMED_REQUEST_DATA: 'in the catalogue of Dapr, and never answered',
  BODY_READ: 'a client that still sends may see the connection end instead: http-api/surface.test.ts',
  INTERNAL: 'what nobody foresaw',
  OVERLOADED: 'needs a thousand streams at a time: the tests of streaming subscriptions',
  OUTBOUND_HEALTH_NOT_READY: 'only while it stops, as ports open when components are ready: api/health',
  PUBSUB_NOT_CONFIGURED: 'in the catalogue of Dapr, and never answered',
  CONFIGURATION_UNSUBSCRIBE: 'answered as ok: false, for which there is a row',
  DIRECT_INVOKE: 'service invocation has tests of its own',
}

/** Errors of other blocks. */
const foreign = /^(?:ACTOR|WORKFLOW|JOB|SCHEDULER|CONVERSATION|DIRECT_INVOKE_)/

/** Errors that are neither brought about nor explained, and explanations of those that are. */
export function errorGaps(seen: ReadonlySet<ErrorId>): { missing: string[]; needless: string[] } {
  const all = (Object.keys(errorTable) as ErrorId[]).filter((id) => !foreign.test(id))
  return {
    missing: all.filter((id) => !seen.has(id) && unreachable[id] === undefined),
    needless: all.filter((id) => seen.has(id) && unreachable[id] !== undefined),
  }
}
