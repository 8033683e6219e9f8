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

/** Routes of the HTTP API of these blocks: POST/PUT stands for either. */
const routes: readonly string[] = [
  'GET /v1.0/state/:store/:key',
  'POST/PUT /v1.0/state/:store',
  'DELETE /v1.0/state/:store/:key',
  'POST/PUT /v1.0/state/:store/bulk',
  'POST/PUT /v1.0/state/:store/transaction',
  'POST/PUT /v1.0-alpha1/state/:store/query',
  'POST/PUT /v1.0/publish/:pubsub/:topic',
  'POST/PUT /v1.0-alpha1/publish/bulk/:pubsub/:topic',
  'POST/PUT /v1.0/publish/bulk/:pubsub/:topic',
  'POST/PUT /v1.0/bindings/:name',
  ...['v1.0', 'v1.0-alpha1'].flatMap((version) => [
    `GET /${version}/configuration/:store`,
    `GET /${version}/configuration/:store/subscribe`,
    `GET /${version}/configuration/:store/:id/unsubscribe`,
  ]),
  'GET /v1.0/secrets/:store/bulk',
  'GET /v1.0/secrets/:store/:key',
  'GET /v1.0/metadata',
  'PUT /v1.0/metadata/:key',
  'GET /v1.0/healthz',
  'GET /v1.0/healthz/outbound',
  'POST /v1.0-alpha1/lock/:store',
  'POST /v1.0-alpha1/unlock/:store',
  'PUT /v1.0-alpha1/crypto/:name/encrypt',
  'PUT /v1.0-alpha1/crypto/:name/decrypt',
  ...['getkey', 'encrypt', 'decrypt', 'wrapkey', 'unwrapkey', 'sign', 'verify'].map(
    (operation) => `POST /v1.0-alpha1/subtlecrypto/:name/${operation}`,
  ),
]

/** Routes that no request went to, each with one of its methods. `/v1.0/shutdown` is called by the client tests. */
export function neverRequested(requests: ReadonlySet<string>): string[] {
  const made = [...requests].map((request) => request.split('?', 1)[0]!)
  return routes
    .flatMap((route) => {
      const [methods, path] = route.split(' ') as [string, string]
      return methods.split('/').map((method) => `${method} ${path}`)
    })
    .filter((route) => {
      const pattern = new RegExp(`^${route.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`)
      return !made.some((request) => pattern.test(request))
    })
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
