import { callsOf } from '@outrigger/proto/call'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { Dapr } from '@outrigger/proto/runtime'
import { GrpcChannel, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import type { Certificate } from '../../interop/peer.ts'
import { appKinds, Behaviour, Refusal, type Invocation } from '../app-channels/apps.ts'

/**
 * An application in a process of its own: `app-program.ts '{"kind": 0, "name": "a", ...}'`. It answers what it was
 * asked, and calls others through its own sidecar when it is asked to.
 */
export interface AppSettings {
  /** Index in `appKinds`. */
  readonly kind: number
  readonly name: string
  readonly certificate: Certificate
  readonly host: string
  readonly httpPort: number
  readonly grpcPort: number
}

/** What `relay` is asked for: whom to call, and by which API. */
export interface Relay {
  readonly target: string
  readonly over: 'http' | 'grpc'
  readonly method: string
  readonly data: string
}

/** What came of it. */
export interface Relayed {
  readonly status: number
  readonly body: string
  readonly type: string
  readonly header: string | undefined
}

const settings = JSON.parse(process.argv[2]!) as AppSettings
const { name, host, httpPort, grpcPort } = settings
const behaviour = new Behaviour()
behaviour.invoke = async (invocation) => {
  if (invocation.method === 'relay') return JSON.stringify(await relay(JSON.parse(invocation.data) as Relay))
  if (invocation.method === 'refuse') throw new Refusal(404, 5)
  return JSON.stringify(echo(invocation))
}

function echo({ header, ...rest }: Invocation): object {
  const names = ['dapr-caller-app-id', 'dapr-callee-app-id', 'x-mine', 'traceparent', 'x-forwarded-for']
  return { app: name, ...rest, headers: Object.fromEntries(names.map((each) => [each, header(each)])) }
}

const client = createHttp2Client()
const dapr = callsOf(Dapr, new GrpcChannel({ origin: `http://${host}:${grpcPort}`, client }))

async function relay({ target, over, method, data }: Relay): Promise<Relayed> {
  if (over === 'http') {
    const answer = await fetch(`http://${host}:${httpPort}/v1.0/invoke/${target}/method/${method}?x=1`, {
      method: 'PUT',
      headers: { 'content-type': 'text/x', 'x-mine': 'yes' },
      body: data,
    })
    const { status, headers } = answer
    const type = headers.get('content-type') ?? ''
    return { status, type, header: headers.get('x-app') ?? undefined, body: await answer.text() }
  }
  let header: string | undefined
  try {
    const answer = await dapr.invokeService(
      {
        id: target,
        message: {
          method,
          contentType: 'text/x',
          data: { typeUrl: '', value: Buffer.from(data) },
          httpExtension: { verb: HTTPExtension_Verb.PUT, querystring: 'x=1' },
        },
      },
      { metadata: ['x-mine', 'yes'], onMetadata: (metadata) => (header = metadata.get('x-app')) },
    )
    const body = Buffer.from(answer.data?.value ?? []).toString()
    return { status: 0, type: answer.contentType, header, body }
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return { status: error.code, type: '', header, body: error.message }
  }
}

const app = await appKinds[settings.kind]!.start(behaviour, 0, settings.certificate)
console.log(`listening on ${app.port}`)
