import type { Random } from '@outrigger/spec'
import { Fields } from '@outrigger/wire'
import type { AppChannel, AppRequest, AppResponse } from '../../app/channel.ts'
import type { HttpEndpoint, HttpEndpoints } from '../../invoke/endpoints.ts'
import type { RemoteApps } from '../../invoke/remote.ts'
import type { ReplayBody } from '../../invoke/replay.ts'
import { parseTarget } from '../../invoke/target.ts'
import { TrackedBody } from '../../invoke/tracked-body.ts'
import type { PeerAnswer } from '../../peer/call.ts'
import { httpMetadata } from '../../peer/fields.ts'
import type { PeerRequest } from '../../peer/messages.ts'
import type { Policy, RunOptions } from '../../resiliency/policy.ts'
import type { Resiliency } from '../../resiliency/provider.ts'
import { beginTrace } from '../../telemetry/trace-context.ts'
import { ApiError } from '../api-error.ts'
import { callApp } from './call-app.ts'
import { invokeError } from './failures.ts'
import { judge, judgeCall, judgeTransport } from './judge.ts'
import { canReplay, replayable } from './replay.ts'
import type * as PeerAnswers from './peer-answer.ts'
import { httpFailure, peerFailure, StatusFailure } from './status-failure.ts'
import { verbOfMethod } from './verbs.ts'

export interface InvokeHandlerOptions {
  readonly appId: string
  readonly namespace: string
  readonly channel: AppChannel | undefined
  /** Whether calls may go to the application now (its health). */
  readonly appHealthy: () => boolean
  /** Of a request to an application that speaks gRPC, where it is one message. */
  readonly maxBodyBytes: number
  /** Opens the way to other applications; absent: only the own one can be called. */
  readonly remote?: (() => Promise<RemoteApps>) | undefined
  readonly endpoints?: HttpEndpoints | undefined
  readonly resiliency?: Resiliency | undefined
  /** `x-forwarded-for` and what belongs to it, of this sidecar: names and values in turn. */
  readonly forwarded?: readonly string[] | undefined
  readonly random: Random
}

/** What a caller means by a name. */
export type Reached =
  | { readonly kind: 'own'; readonly channel: AppChannel }
  | { readonly kind: 'peer'; readonly appId: string; readonly namespace: string }
  | { readonly kind: 'endpoint'; readonly endpoint: HttpEndpoint }

/** Who calls whom; nobody but a sidecar may say so. */
const callerId = 'dapr-caller-app-id'
const callerNamespace = 'dapr-caller-namespace'
const calleeId = 'dapr-callee-app-id'
const noMetadata: readonly string[] = []

type Body = Uint8Array | ReplayBody | undefined
/** Where a call goes, and what its failures say. */
interface Way {
  readonly remote: boolean
  readonly judge: typeof judge
}
const toOwn: Way = { remote: false, judge }
const toPeer: Way = { remote: true, judge }
const callToOwn: Way = { remote: false, judge: judgeCall }
const callToPeer: Way = { remote: true, judge: judgeCall }

type Try<T> = (signal: AbortSignal | undefined) => Promise<T>

/** Service invocation, for every face of the runtime. */
export class InvokeHandler {
  readonly #options: InvokeHandlerOptions

  constructor(options: InvokeHandlerOptions) {
    this.#options = options
  }

  /** The application of this name, if it is this sidecar's own or can be called from here. @throws ApiError DIRECT_INVOKE */
  reach(name: string, { healthy = true } = {}): Reached {
    const { appId, namespace, endpoints, remote } = this.#options
    const endpoint = endpoints?.find(name)
    if (endpoint !== undefined) return { kind: 'endpoint', endpoint }
    const target = parseTarget(name, namespace)
    if (target.kind === 'url') {
      if (endpoints === undefined) throw notOffered(name)
      return { kind: 'endpoint', endpoint: endpointOf(endpoints, target.url) }
    }
    if (target.appId === appId && target.namespace === namespace) {
      return { kind: 'own', channel: this.#own(name, healthy) }
    }
    if (remote === undefined) throw notOffered(name)
    return { kind: 'peer', appId: target.appId, namespace: target.namespace }
  }

  /** Any status of the application is an answer. One that speaks gRPC gets the request as `OnInvoke`. Takes its fields over. */
  async invoke(name: string, request: AppRequest): Promise<AppResponse> {
    const reached = this.reach(name)
    try {
      if (reached.kind === 'own') return await this.#invokeOwn(name, reached.channel, request)
      if (reached.kind === 'endpoint') return await this.#invokeEndpoint(name, reached.endpoint, request)
      return await this.#invokePeer(name, reached, request)
    } catch (error) {
      if (error instanceof StatusFailure) return error.answer
      throw this.failed(name, error, reached)
    }
  }

  /** A message for the application beside another sidecar, as it came over gRPC, and its answer. Rejects with an ApiError. */
  async invokeMessage(
    name: string,
    { appId, namespace }: { readonly appId: string; readonly namespace: string },
    head: PeerRequest,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<PeerAnswer> {
    const remote = await this.apps()
    const metadata = [...this.identify(head.metadata, appId).flat(), ...this.#onTheWay(appId)]
    const call = { head: { ...head, metadata }, body, metadata: noMetadata }
    const policy = this.#policy(name, head.method)
    let last: PeerAnswer | undefined
    const attempt: Try<PeerAnswer> = async (trySignal) => {
      // That of the try before: nobody reads it.
      last?.body.cancel()
      last = await remote.call(appId, namespace, { ...call, signal: trySignal })
      const failure = policy === undefined ? undefined : peerFailure(last)
      if (failure !== undefined) throw new StatusFailure(last, failure)
      return last
    }
    try {
      return await this.#run(name, policy, toPeer, body, signal, undefined, attempt)
    } catch (error) {
      if (error instanceof StatusFailure) return (error as StatusFailure<PeerAnswer>).answer
      throw this.failed(name, error)
    }
  }

  /** Puts the names of caller and callee, and a trace if there is none, into fields or metadata: changes `fields` when they are a Fields. */
  identify(init: AppRequest['fields'], callee = this.#options.appId): Fields {
    const { appId, namespace, random } = this.#options
    const fields = init instanceof Fields ? init : new Fields([...(init ?? [])])
    beginTrace(fields, random)
    return fields.set(callerId, appId).set(callerNamespace, namespace).set(calleeId, callee)
  }

  /** A failure of the way to an application, as an error of the API. */
  failed(name: string, error: unknown, reached?: Reached): ApiError {
    const address = reached?.kind === 'own' ? reached.channel.address : undefined
    return invokeError(name, error, address)
  }

  /** The way to other applications; only for those that `reach` calls a peer. */
  apps(): Promise<RemoteApps> {
    return this.#options.remote!()
  }

  /** Whether a policy wants to see how calls of this target end. */
  hasPolicy(name: string, path: string): boolean {
    return this.#options.resiliency?.app(name, `${name}:${methodOf(path)}`) !== undefined
  }

  /** Runs a call of gRPC under the policies of its target. `attempt` is made anew for each try. */
  guarded<T>(
    name: string,
    method: string,
    body: Body,
    signal: AbortSignal | undefined,
    attempt: Try<T>,
    options?: Pick<RunOptions<T>, 'timed'>,
  ): Promise<T> {
    return this.#run(name, this.#policy(name, method), callToPeer, body, signal, options, attempt)
  }

  /** The same of a message for the own application. */
  ownMessage<T>(name: string, method: string, signal: AbortSignal, attempt: Try<T>): Promise<T> {
    return this.#run(name, this.#policy(name, method), callToOwn, undefined, signal, undefined, attempt)
  }

  #own(name: string, healthy: boolean): AppChannel {
    const { channel, appHealthy } = this.#options
    if (channel === undefined) {
      throw new ApiError(
        'DIRECT_INVOKE',
        `failed to invoke, id: ${name}, err: app channel is not initialized; start the sidecar with --app-port`,
      )
    }
    if (healthy && !appHealthy()) {
      throw new ApiError('DIRECT_INVOKE', `failed to invoke, id: ${name}, err: app is not in a healthy state`)
    }
    return channel
  }

  #invokeOwn(name: string, channel: AppChannel, request: AppRequest): Promise<AppResponse> {
    const { maxBodyBytes } = this.#options
    const fields = this.identify(request.fields)
    const method = methodOf(request.path)
    const identified = fields === request.fields ? request : { ...request, fields }
    if (this.#policy(name, method) === undefined) return callApp(channel, identified, maxBodyBytes)
    const body = replayable(request.body)
    return this.#answered(name, method, toOwn, body, request.signal, (signal) =>
      // Each try starts from the same fields: a channel may change those that it gets.
      callApp(channel, tryOf({ ...identified, fields: Fields.from(fields) }, body, signal), maxBodyBytes),
    )
  }

  #invokeEndpoint(name: string, endpoint: HttpEndpoint, request: AppRequest): Promise<AppResponse> {
    const body = replayable(request.body)
    const fields = request.fields === undefined ? new Fields() : Fields.from(request.fields)
    beginTrace(fields, this.#options.random)
    return this.#answered(name, methodOf(request.path), toPeer, body, request.signal, (signal) =>
      endpoint.call(tryOf({ ...request, fields }, body, signal)),
    )
  }

  async #invokePeer(
    name: string,
    { appId, namespace }: { readonly appId: string; readonly namespace: string },
    request: AppRequest,
  ): Promise<AppResponse> {
    const remote = await this.apps()
    const { httpAnswer } = await peerAnswers()
    const { method, path, signal } = request
    const fields = request.fields instanceof Fields ? request.fields : new Fields([...(request.fields ?? [])])
    const mark = path.indexOf('?')
    const body = replayable(request.body)
    const { length } = (request.body ?? noBytes) as { readonly length?: number | undefined }
    const metadata = httpMetadata(this.identify(fields, appId))
    metadata.push(...this.#onTheWay(appId))
    if (length !== undefined && request.body !== undefined) metadata.push('Content-Length', String(length))
    const head: PeerRequest = {
      method: (mark === -1 ? path : path.slice(0, mark)).slice(1),
      verb: verbOfMethod(name, method),
      query: mark === -1 ? '' : path.slice(mark + 1),
      contentType: fields.get('content-type') ?? '',
      typeUrl: '',
      metadata,
    }
    return this.#answered(name, head.method, toPeer, body, signal, async (trySignal) =>
      httpAnswer(
        await remote.call(appId, namespace, { head, body, metadata: noMetadata, signal: trySignal }),
      ),
    )
  }

  /** Runs a call whose answer is one of HTTP: policies see its status. */
  #answered(
    name: string,
    method: string,
    way: Way,
    body: Body,
    signal: AbortSignal | undefined,
    attempt: Try<AppResponse>,
  ): Promise<AppResponse> {
    const policy = this.#policy(name, method)
    if (policy === undefined) return this.#run(name, policy, way, body, signal, undefined, attempt)
    let last: AppResponse | undefined
    const checked: Try<AppResponse> = async (trySignal) => {
      // That of the try before: nobody reads it.
      last?.body.cancel()
      last = await attempt(trySignal)
      const failure = httpFailure(last.status)
      if (failure !== undefined) throw new StatusFailure(last, failure)
      return last
    }
    if (policy.breaker === undefined) return this.#run(name, policy, way, body, signal, discard, checked)
    const outcomes = new WeakMap<AppResponse, Promise<boolean>>()
    const tracked: Try<AppResponse> = async (trySignal) => {
      const answer = await checked(trySignal)
      let done = (_complete: boolean): void => {}
      const outcome = new Promise<boolean>((resolve) => (done = resolve))
      const { status, fields } = answer
      const whole = { status, fields, body: new TrackedBody(answer.body, done) }
      outcomes.set(whole, outcome)
      return whole
    }
    const options = { ...discard, outcome: (answer: AppResponse) => outcomes.get(answer) }
    return this.#run(name, policy, way, body, signal, options, tracked)
  }

  #policy(name: string, method: string): Policy | undefined {
    return this.#options.resiliency?.app(name, `${name}:${method}`)
  }

  /** Inside the policy of the target are the retries of the runtime itself, unless the target is named in a policy. */
  #run<T>(
    name: string,
    policy: Policy | undefined,
    way: Way,
    body: Body,
    signal: AbortSignal | undefined,
    options: RunOptions<T> | undefined,
    attempt: Try<T>,
  ): Promise<T> {
    const { resiliency } = this.#options
    if (resiliency === undefined) return attempt(signal)
    const replay = (): boolean => canReplay(body)
    const inner: Try<T> =
      way.remote && !resiliency.definesApp(name)
        ? (trySignal) =>
            resiliency.builtIn('DaprBuiltInServiceRetries').run(attempt, {
              signal: trySignal,
              judge: (error) => judgeTransport(error, replay()),
            })
        : attempt
    if (policy === undefined) return inner(signal)
    return policy.run(inner, { ...options, signal, judge: (error) => way.judge(error, replay()) })
  }

  /** What a request gets on its way to another sidecar. */
  #onTheWay(callee: string): readonly string[] {
    return [...(this.#options.forwarded ?? noMetadata), 'Destination-App-Id', callee]
  }
}

const noBytes = new Uint8Array(0)
const discard: RunOptions<AppResponse> = { discard: (answer) => answer.body.cancel() }

let answers: Promise<typeof PeerAnswers> | undefined

/** What reads the answers of other sidecars is loaded with the first call of one. */
function peerAnswers(): Promise<typeof PeerAnswers> {
  answers ??= import('./peer-answer.ts')
  return answers
}

function tryOf(request: AppRequest, body: Body, signal: AbortSignal | undefined): AppRequest {
  const { body: _, signal: __, ...rest } = request
  return { ...rest, ...(body !== undefined && { body }), ...(signal !== undefined && { signal }) }
}

/** The path without its query and the slash before it. */
function methodOf(path: string): string {
  const mark = path.indexOf('?')
  return path.slice(1, mark === -1 ? undefined : mark)
}

function endpointOf(endpoints: HttpEndpoints, url: string): HttpEndpoint {
  try {
    return endpoints.of(url)
  } catch (cause) {
    const text = `failed to invoke, id: ${url.slice(0, 500)}, err: it is no URL`
    throw new ApiError('DIRECT_INVOKE', text, { cause })
  }
}

function notOffered(name: string): ApiError {
  const text = `failed to invoke, id: ${name}, err: other applications cannot be invoked from here`
  return new ApiError('API_UNIMPLEMENTED', text)
}
