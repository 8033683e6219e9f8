import { statusDetails } from './status-details.ts'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { Fields, isWireError, type ServerRequest } from '@outrigger/wire'
import { GrpcError, grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import { callbacks } from '../../app/callbacks.ts'
import {
  neverReached,
  type AppChannel,
  type AppResponse,
  type GrpcAppChannel,
  type HttpAppChannel,
} from '../../app/channel.ts'
import { asField, fromField } from '../../app/fields.ts'
import { MemoryBody, wholeBody } from '../../app/memory-body.ts'
import { isTrustedField, tokenField } from '../../app/trusted-fields.ts'
import { refusal } from '../../overload/refusal.ts'
import { isRefused } from '../../overload/refused.ts'
import type { PeerAnswer } from '../../peer/call.ts'
import { canonicalName, valueOf } from '../../peer/fields.ts'
import type { PeerRequest, PeerResponse } from '../../peer/messages.ts'
import type { PeerBody } from '../../peer/peer-body.ts'
import { ApiError } from '../api-error.ts'
import { httpToMetadata } from './metadata.ts'
import { methodName, methodOfPath } from './method-name.ts'
import { httpRequest, verbOf } from './peer-request.ts'
import { reasonPhrase } from './reason-phrase.ts'

/** Who calls, as far as it is proved. */
export interface Caller {
  readonly trustDomain: string
  readonly namespace: string
  readonly appId: string
}

export interface ServePeerOptions {
  readonly appId: string
  readonly channel: AppChannel | undefined
  readonly appHealthy: () => boolean
  readonly maxBodyBytes: number
  /** Who has sent a request. Absent: connections prove nothing. @throws Error when nobody who is welcome */
  readonly identify: ((request: ServerRequest) => Caller) | undefined
  /** Whether the caller may. `verb` is empty where there is none. @throws GrpcError PERMISSION_DENIED */
  readonly authorize: ((caller: Caller | undefined, method: string, verb: string) => void) | undefined
}

const calleeField = 'dapr-callee-app-id'
const verbs = HTTPExtension_Verb as unknown as Readonly<Record<string, HTTPExtension_Verb | undefined>>

/** Calls the own application for another sidecar. */
export function servePeer(options: ServePeerOptions) {
  const { appId, appHealthy, maxBodyBytes } = options
  return async (
    head: PeerRequest,
    body: Uint8Array | PeerBody | undefined,
    request: ServerRequest,
  ): Promise<PeerAnswer> => {
    const meant = valueOf(head.metadata, calleeField) ?? appId
    if (meant !== appId) throw wrongApp(appId, meant)
    const channel = options.channel
    // What is decided about is what the application gets.
    const verb = channel?.kind === 'http' ? verbOf(head) : head.verb
    const caller = checkCaller(options, request, head.method, verb)
    if (channel === undefined) throw new GrpcError(grpcStatus.INTERNAL, 'app channel is not initialized')
    // Another instance may be well.
    if (!appHealthy()) throw new GrpcError(grpcStatus.UNAVAILABLE, 'app is not in a healthy state')
    const known = withoutForgery(head, caller)
    try {
      if (channel.kind === 'http') return await callHttp(appId, channel, known, body, request.signal)
      const data = await wholeBody(body, maxBodyBytes)
      return await callGrpc(appId, channel, known, data, request.signal)
    } catch (error) {
      throw failure(error)
    }
  }
}

/** Addresses change hands: the caller looks for another one. */
export function wrongApp(appId: string, meant: string): GrpcError {
  const text = `this is the sidecar of ${appId}, and the call is for ${meant.slice(0, 200)}`
  return new GrpcError(grpcStatus.UNAVAILABLE, text)
}

/** @param method as it came. @throws GrpcError UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT */
export function checkCaller(
  { identify, authorize }: Pick<ServePeerOptions, 'identify' | 'authorize'>,
  request: ServerRequest,
  method: string,
  verb: string,
): Caller | undefined {
  let caller: Caller | undefined
  try {
    caller = identify?.(request)
  } catch (error) {
    const text = error instanceof Error ? error.message : 'the caller is not known'
    throw new GrpcError(grpcStatus.UNAUTHENTICATED, text, { cause: error })
  }
  try {
    authorize?.(caller, fromField(method), verb)
  } catch (error) {
    throw error instanceof ApiError ? malformed(error) : error
  }
  return caller
}

function malformed(error: ApiError): GrpcError {
  return new GrpcError(grpcStatus.INVALID_ARGUMENT, error.message, { cause: error })
}

/**
 * The names of the caller are those that it has proved, whatever it says, and the token is for the own sidecar to
 * give.
 */
function withoutForgery(head: PeerRequest, caller: Caller | undefined): PeerRequest {
  const metadata: string[] = []
  for (let index = 0; index < head.metadata.length; index += 2) {
    const name = head.metadata[index]!.toLowerCase()
    // Without mutual TLS the names are those that the other sidecar gives, written as sidecars do.
    const isForged =
      isTrustedField(name) &&
      name !== calleeField &&
      (caller !== undefined || name === tokenField || name.includes('_'))
    if (!isForged) metadata.push(name, head.metadata[index + 1]!)
  }
  if (caller !== undefined)
    metadata.push('dapr-caller-app-id', caller.appId, 'dapr-caller-namespace', caller.namespace)
  return { ...head, metadata }
}

async function callHttp(
  appId: string,
  channel: HttpAppChannel,
  head: PeerRequest,
  body: Uint8Array | PeerBody | undefined,
  signal: AbortSignal,
): Promise<PeerAnswer> {
  const answer = await channel.call(httpRequest(appId, head, emptyAsNone(body), signal))
  return { head: headOf(answer), body: answer.body }
}

function emptyAsNone(body: Uint8Array | PeerBody | undefined): Uint8Array | PeerBody | undefined {
  return body instanceof Uint8Array && body.length === 0 ? undefined : body
}

function headOf({ status, fields }: AppResponse): PeerResponse {
  const headers: string[] = []
  const flat = fields.flat()
  for (let index = 0; index < flat.length; index += 2)
    headers.push(canonicalName(flat[index]!), flat[index + 1]!)
  return {
    status,
    message: reasonPhrase(status),
    details: [],
    headers,
    trailers: [],
    contentType: fields.get('content-type') ?? '',
    typeUrl: '',
  }
}

async function callGrpc(
  appId: string,
  channel: GrpcAppChannel,
  head: PeerRequest,
  value: Uint8Array,
  signal: AbortSignal,
): Promise<PeerAnswer> {
  let headers = new Fields()
  let trailers = new Fields()
  const overGrpc = isOverGrpc(head)
  const method = fromField(head.method)
  const message = {
    method: overGrpc ? methodName(appId, method) : methodOfPath(appId, method),
    data: { typeUrl: fromField(head.typeUrl), value },
    contentType: fromField(head.contentType),
    httpExtension: {
      verb: verbs[head.verb] ?? HTTPExtension_Verb.NONE,
      querystring: fromField(head.query),
    },
  }
  try {
    const answer = await channel.call(callbacks.onInvoke, message, {
      metadata: metadataOf(head, overGrpc),
      signal,
      onMetadata: (metadata) => (headers = metadata),
      onTrailers: (metadata) => (trailers = metadata),
    })
    const { contentType, data } = answer
    return {
      head: {
        status: 0,
        message: '',
        details: [],
        headers: flat(headers),
        trailers: flat(trailers),
        contentType: asField(contentType),
        typeUrl: asField(data?.typeUrl ?? ''),
      },
      body: new MemoryBody(data?.value),
    }
  } catch (error) {
    if (!isGrpcError(error) || isWireError(error.cause)) throw error
    return {
      head: {
        status: error.code,
        message: asField(error.message),
        details: statusDetails(error),
        headers: flat(headers),
        trailers: flat(error.trailers ?? new Fields()),
        contentType: '',
        typeUrl: '',
      },
      body: new MemoryBody(),
    }
  }
}

/** What came over gRPC says so; its content type is beside it. */
function isOverGrpc({ metadata }: PeerRequest): boolean {
  return valueOf(metadata, 'content-type')?.startsWith('application/grpc') === true
}

function metadataOf({ metadata }: PeerRequest, overGrpc: boolean): string[] {
  const pairs = new Fields([...metadata])
  if (overGrpc) pairs.delete('content-type')
  return httpToMetadata(pairs)
}

function flat(fields: Fields): string[] {
  return [...fields].flat()
}

/** What the other sidecar is told. What never reached the application may be tried elsewhere. */
function failure(error: unknown): unknown {
  if (error instanceof ApiError) return malformed(error)
  const text = `error invoking app channel: ${error instanceof Error ? error.message : 'unknown'}`
  if (isRefused(error)) return refusal(text, error)
  if (neverReached(error)) return new GrpcError(grpcStatus.UNAVAILABLE, text, { cause: error })
  if (isGrpcError(error) || isWireError(error)) {
    const code = isWireError(error, 'TOO_LARGE') ? grpcStatus.RESOURCE_EXHAUSTED : grpcStatus.INTERNAL
    return new GrpcError(code, text, { cause: error })
  }
  return error
}
