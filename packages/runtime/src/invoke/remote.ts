import { isWireError, type Client } from '@outrigger/wire'
import { GrpcError, grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import { MemoryBody, wholeBody } from '../app/memory-body.ts'
import { isRefused } from '../overload/refused.ts'
import { callLocal, callLocalStream, type PeerAnswer, type PeerCall } from '../peer/call.ts'
import type { Directory, Peer } from './directory.ts'
import type { InstanceState } from './instances.ts'
import { ReplayBody, replayBytes } from './replay.ts'
import { TrackedBody } from './tracked-body.ts'

/** A request to an application elsewhere; its body can be sent again where it is not a mere stream. */
export interface RemoteCall extends PeerCall {
  readonly body: Uint8Array | ReplayBody | undefined
}

/** Calls applications beside other sidecars, each call at one instance. */
export class RemoteApps {
  readonly #directory: Directory
  readonly #maxMessageBytes: number

  constructor(directory: Directory, maxMessageBytes: number) {
    this.#directory = directory
    this.#maxMessageBytes = maxMessageBytes
  }

  /**
   * Calls one instance; one that cannot be reached is left for another at once. Rejects with a GrpcError.
   */
  async call(appId: string, namespace: string, call: RemoteCall): Promise<PeerAnswer> {
    const replayable = (): boolean => !(call.body instanceof ReplayBody) || call.body.replayable
    return this.atInstance(
      appId,
      namespace,
      async (peer, instance) => {
        const { head, body } = await this.#callInstance(peer.client, `${peer.scheme}://${instance.address}`, {
          instance,
          call,
        })
        if (body instanceof MemoryBody) {
          instance.running--
          return { head, body }
        }
        return { head, body: new TrackedBody(body, () => void instance.running--) }
      },
      replayable,
    )
  }

  /**
   * Lets `use` have one instance. When it failed before anything was sent, another one is tried; so it is when the
   * instance turned the call away and it is `replayable`.
   * `use` takes one off `instance.running` when it has succeeded.
   */
  async atInstance<T>(
    appId: string,
    namespace: string,
    use: (peer: Peer, instance: InstanceState) => Promise<T>,
    replayable: () => boolean = () => false,
  ): Promise<T> {
    const peer = await this.#directory.find(appId, namespace)
    const { instances } = peer
    let tried: Set<InstanceState> | undefined
    let failure: unknown
    let refused: unknown
    for (;;) {
      const instance = instances.pick(tried)
      if (instance === undefined) throw refused ?? failure
      instance.running++
      try {
        const result = await use(peer, instance)
        instances.answered(instance)
        return result
      } catch (error) {
        instance.running--
        if (isRefused(error)) {
          instances.turnedAway(instance)
          if (!replayable()) throw error
          refused = error
        } else {
          if (isGrpcError(error) && error.code === grpcStatus.UNAVAILABLE)
            this.#directory.doubt(appId, namespace)
          if (!neverSent(error)) throw error
          instances.refused(instance)
          failure = error
        }
        tried ??= new Set()
        tried.add(instance)
      }
    }
  }

  async #callInstance(
    client: Client,
    origin: string,
    { instance, call }: { readonly instance: InstanceState; readonly call: RemoteCall },
  ): Promise<PeerAnswer> {
    if (!instance.wholeOnly) {
      try {
        return await callLocalStream(client, origin, call, this.#maxMessageBytes)
      } catch (error) {
        if (!isGrpcError(error) || error.code !== grpcStatus.UNIMPLEMENTED) throw error
        if (call.body instanceof ReplayBody && !call.body.replayable) {
          const text = `${error.message}: the other sidecar does not take requests in pieces, and this one was larger than what can be sent again`
          throw new GrpcError(grpcStatus.UNIMPLEMENTED, text, { cause: error })
        }
        instance.wholeOnly = true
      }
    }
    const { body } = call
    const whole = body instanceof ReplayBody ? await wholeBody(body, replayBytes) : body
    return callLocal(client, origin, { ...call, body: whole }, this.#maxMessageBytes)
  }
}

/** Whether a call failed before anything of it left this process. */
function neverSent(error: unknown): boolean {
  return isGrpcError(error) && isWireError(error.cause) && !error.cause.sent && error.cause.code !== 'ABORTED'
}
