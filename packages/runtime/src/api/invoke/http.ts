import { Fields, type BodyWriter, type ServerResponse } from '@outrigger/wire'
import type { AppResponse } from '../../app/channel.ts'
import { withoutHopByHop } from '../../app/hop-by-hop.ts'
import { tokenField } from '../../app/trusted-fields.ts'
import type { HttpCall } from '../../server/http-call.ts'
import { unescapeSegment, type HttpRoute } from '../../server/router.ts'
import { ApiError } from '../api-error.ts'
import type { InvokeHandler } from './handler.ts'
import { verbs } from './verbs.ts'

const prefix = '/v1.0/invoke/'
const appIdHeader = 'dapr-app-id'
const basicUser = `${appIdHeader}:`
/** Bodies up to this size go on in one piece. */
const wholeBytes = 64 * 1024

/** What the caller wants called: an application and the path and query to call it with. */
interface Target {
  readonly appId: string
  readonly path: string
  /** The credentials only named the application, and are not its own. */
  readonly dropAuthorization: boolean
}

/** The invoke route; `fallback` serves what no other route takes. */
export function invokeRoutes(handler: InvokeHandler): {
  readonly routes: HttpRoute[]
  readonly fallback: HttpRoute
} {
  const route: HttpRoute = {
    name: 'InvokeService',
    methods: verbs,
    path: 'v1.0/invoke/*',
    passesOn: true,
    handle: (call) => invoke(handler, call),
  }
  return { routes: [route], fallback: route }
}

async function invoke(handler: InvokeHandler, call: HttpCall): Promise<void> {
  const target = targetOf(call)
  if (target === undefined) {
    throw new ApiError(
      'DIRECT_INVOKE_NO_APP_ID',
      'failed getting app id either from the URL path or the header dapr-app-id',
    )
  }
  try {
    return await toTarget(handler, call, target)
  } catch (error) {
    // A body that broke off, of the request or of the answer.
    throw handler.failed(target.appId, error)
  }
}

async function toTarget(handler: InvokeHandler, call: HttpCall, target: Target): Promise<void> {
  const { request, response } = call
  // Before the names of caller and callee are written: `connection` could name those.
  const fields = withoutHopByHop(Fields.from(request.fields))
  fields.delete(appIdHeader)
  // It is for this sidecar, whether it asks for one or not.
  fields.delete(tokenField)
  fields.delete('host')
  // It was answered here.
  fields.delete('expect')
  if (target.dropAuthorization) fields.delete('authorization')
  const { length } = request.body
  const answer = await handler.invoke(target.appId, {
    method: request.method,
    path: target.path,
    fields,
    signal: request.signal,
    // What is small goes on in one piece, and can be sent again without further ado.
    ...(length !== 0 && {
      body: length !== undefined && length <= wholeBytes ? await request.body.bytes() : request.body,
    }),
  })
  // The server writes its own.
  answer.fields.delete('date')
  // The caller learns of a trace that began here; its own is sent back anyway.
  const trace = fields.get('traceparent')
  if (trace !== undefined && trace !== request.fields.get('traceparent') && !answer.fields.has('traceparent'))
    answer.fields.set('traceparent', trace)
  return pass(answer, response)
}

async function pass({ status, fields, body }: AppResponse, response: ServerResponse): Promise<void> {
  const { length } = body
  if (length !== undefined && length <= wholeBytes) {
    const bytes = length === 0 ? undefined : await body.bytes()
    if (bytes === undefined) body.cancel()
    return response.send(status, fields, bytes)
  }
  let sent: BodyWriter | undefined
  try {
    sent = response.start(status, fields)
    for await (const chunk of body) await sent.write(chunk)
    sent.end()
  } catch (error) {
    // Whatever is not read keeps its connection, and the place of its call.
    body.cancel()
    sent?.abort()
    throw error
  }
}

/** The application may be named by a header, by the user of basic credentials, or in the path. */
function targetOf(call: HttpCall): Target | undefined {
  const { path, query, fields } = call.request
  const rest = query === '' ? '' : `?${query}`
  const header = fields.get(appIdHeader)
  if (header !== undefined && header !== '')
    return { appId: header, path: path + rest, dropAuthorization: false }
  const authorization = fields.get('authorization')
  if (authorization?.startsWith('Basic ') === true) {
    const pair = Buffer.from(authorization.slice(6), 'base64').toString()
    if (pair.toLowerCase().startsWith(basicUser) && pair.length > basicUser.length) {
      return { appId: pair.slice(basicUser.length), path: path + rest, dropAuthorization: true }
    }
  }
  if (!path.startsWith(prefix)) return undefined
  const method = path.indexOf('/method/', prefix.length)
  const end = method === -1 && path.endsWith('/method') ? path.length - '/method'.length : method
  if (end <= prefix.length) return undefined
  const appId = unescapeSegment(path.slice(prefix.length, end))
  return { appId, path: (path.slice(end + '/method'.length) || '/') + rest, dropAuthorization: false }
}
