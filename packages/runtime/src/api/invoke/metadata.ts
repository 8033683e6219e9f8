import { Fields, type FieldsInit } from '@outrigger/wire'
import { toBinary } from '../../telemetry/trace-context.ts'

/** Request fields that HTTP defines: over gRPC they come as `dapr-accept` and so on. */
const permanent: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-language',
  'accept-ranges',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'cache-control',
  'content-type',
  'content-length',
  'cookie',
  'date',
  'expect',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-schedule-tag-match',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'pragma',
  'referer',
  'via',
  'warning',
])

/** Of one connection only, or said otherwise on the other side. */
const neverToHttp: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'proxy-authorization',
  'proxy-authenticate',
  'content-type',
  'content-length',
  'host',
  'destination-app-id',
])
const neverToGrpc: ReadonlySet<string> = new Set([
  'http2-settings',
  'te',
  'trailer',
  'proxy-authorization',
  'proxy-authenticate',
  'destination-app-id',
  'grpc-trace-bin',
])

type Pairs = Iterable<readonly [name: string, value: string]>

/** Header fields of HTTP as metadata of gRPC. */
export function httpToMetadata(fields: Pairs): string[] {
  const metadata: string[] = []
  for (const [name, value] of fields) {
    if (neverToGrpc.has(name) || name.startsWith('grpc-') || name.startsWith(':')) continue
    if (name === 'traceparent') {
      const binary = toBinary(value)
      if (binary !== undefined) metadata.push('traceparent', value, 'grpc-trace-bin', binary)
    } else if (name.endsWith('-bin')) {
      if (/^[A-Za-z0-9+/]*={0,2}$/.test(value)) metadata.push(name, value)
    } else metadata.push(permanent.has(name) ? `dapr-${name}` : name, value)
  }
  return metadata
}

/** Metadata of gRPC as header fields of HTTP; binary values stay behind. */
export function metadataToHttp(init: FieldsInit): string[] {
  const metadata = init instanceof Fields ? init.flat() : init
  const fields: string[] = []
  for (let index = 0; index < metadata.length; index += 2) {
    const name = metadata[index]!.toLowerCase()
    if (neverToHttp.has(name) || name.endsWith('-bin')) continue
    const value = metadata[index + 1]!
    // Sidecars in Go pass on `:authority`. Another would become a field of ours: `:caller-app-id`.
    if (name.startsWith(':')) {
      if (name === ':authority') fields.push('dapr-authority', value)
    } else fields.push(name.startsWith('grpc-') ? `dapr-${name}` : name, value)
  }
  return fields
}

/** The metadata of an answer, with the trace context and baggage that were asked with unless it has its own. */
export function answerMetadata(asked: Fields, answer: FieldsInit): FieldsInit {
  const traceparent = asked.get('traceparent')
  const baggage = asked.get('baggage')
  if (traceparent === undefined && baggage === undefined) return answer
  const fields = Fields.from(answer)
  const binary = toBinary(traceparent)
  if (binary !== undefined && !fields.has('traceparent') && !fields.has('grpc-trace-bin'))
    fields.append('traceparent', traceparent!).append('grpc-trace-bin', binary)
  if (baggage !== undefined && !fields.has('baggage')) fields.append('baggage', baggage)
  return fields
}
