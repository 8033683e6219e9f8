import { create, methodsOf, type DescMessage, type Method } from '@outrigger/proto'
import { Dapr } from '@outrigger/proto/runtime'
import { traceOf } from '../wire/grpc-load.ts'

const value = '{"number":7,"text":"a small value"}'
const event = '{"order":7,"text":"a small event"}'

/** What is measured over HTTP; each request has a trace of its own. */
export const httpCases = {
  'state get': { status: 200, request: (index: number) => plain('GET', '/v1.0/state/store/key', index) },
  'state set': {
    status: 204,
    request: (index: number) => plain('POST', '/v1.0/state/store', index, `[{"key":"key","value":${value}}]`),
  },
  publish: {
    status: 204,
    request: (index: number) => plain('POST', '/v1.0/publish/bus/nobody', index, event),
  },
} as const

export function plain(method: string, path: string, index: number, body?: string): string {
  const length =
    body === undefined ? '' : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`
  return `${method} ${path} HTTP/1.1\r\nhost: bench\r\ntraceparent: ${traceOf(index)}\r\n${length}\r\n${body ?? ''}`
}

const methods = methodsOf(Dapr) as unknown as Readonly<Record<string, Method>>
const inputs = Dapr.method as unknown as Readonly<Record<string, { readonly input: DescMessage }>>

/** The same over gRPC: path and encoded message. */
export const grpcCases = {
  'state get': rpc('getState', { storeName: 'store', key: 'key' }),
  'state set': rpc('saveState', { storeName: 'store', states: [{ key: 'key', value: Buffer.from(value) }] }),
  publish: rpc('publishEvent', {
    pubsubName: 'bus',
    topic: 'nobody',
    data: Buffer.from(event),
    dataContentType: 'application/json',
  }),
} as const

function rpc(name: string, request: object): { readonly path: string; readonly message: Uint8Array } {
  const { path, input } = methods[name]!
  return { path, message: input.encode(create(inputs[name]!.input, request as never) as never) }
}
