import { callsOf } from '@outrigger/proto/call'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { ServiceInvocation } from '@outrigger/proto/internals'
import { Dapr } from '@outrigger/proto/runtime'
import { detailsOf } from '@outrigger/proto/status'
import { GrpcChannel, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { call, type Sidecar } from '../../src/index.ts'

/** What became of a call: the status of HTTP or gRPC, and when to come again. */
export interface Outcome {
  readonly status: number
  readonly retryAfterMs: number | undefined
  readonly text: string
}

/** Calls an application through a sidecar over HTTP. */
export async function overHttp(
  sidecar: Sidecar,
  target: string,
  path = 'take',
  data = 'x',
): Promise<Outcome> {
  const answer = await call(sidecar.httpPort, 'POST', `/v1.0/invoke/${target}/method/${path}`, data)
  const after = answer.headers['retry-after']
  const retryAfterMs = after === undefined ? undefined : Number(after) * 1000
  return { status: answer.status, retryAfterMs, text: answer.text }
}

const client = createHttp2Client()
const channelOf = (port: number): GrpcChannel =>
  new GrpcChannel({ origin: `http://127.0.0.1:${port}`, client })

/** The same over gRPC. */
export function overGrpc(sidecar: Sidecar, target: string): Promise<Outcome> {
  const message = { method: 'take', httpExtension: { verb: HTTPExtension_Verb.POST } }
  return outcomeOf(callsOf(Dapr, channelOf(sidecar.grpcPort)).invokeService({ id: target, message }))
}

/** A method that is no sidecar's own, which is passed on undecoded. */
export function proxied(sidecar: Sidecar, target: string): Promise<Outcome> {
  const method = {
    path: '/shop.Orders/Take',
    kind: 'unary' as const,
    input: { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes },
    output: { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes },
  }
  const metadata = ['dapr-app-id', target]
  return outcomeOf(channelOf(sidecar.grpcPort).call(method, new Uint8Array(0), { metadata }))
}

/** As another sidecar calls, in one message, which older ones do. */
export function asPeer(port: number, target: string): Promise<Outcome> {
  const message = { method: 'take', httpExtension: { verb: HTTPExtension_Verb.POST } }
  const metadata = { 'dapr-callee-app-id': { values: [target] } }
  return outcomeOf(callsOf(ServiceInvocation, channelOf(port)).callLocal({ ver: 1, message, metadata }))
}

async function outcomeOf(pending: Promise<unknown>): Promise<Outcome> {
  try {
    await pending
    return { status: 0, retryAfterMs: undefined, text: '' }
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return { status: error.code, retryAfterMs: detailsOf(error).retryAfterMs, text: error.message }
  }
}
