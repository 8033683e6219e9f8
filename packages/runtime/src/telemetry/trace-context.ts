import type { OperationOptions, Random } from '@outrigger/spec'
import type { Fields } from '@outrigger/wire'

const valid = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/** Whether a `traceparent` is one (W3C Trace Context, section 3.2). What is not one is treated as absent. */
export function isTraceparent(text: string | undefined): text is string {
  return text !== undefined && text.length >= 55 && text.length <= 512 && valid.test(text)
}

/** Begins a trace that is not sampled: its ids travel, no span is recorded. */
export function newTraceparent(random: Random): string {
  const hex = (random.uuid() + random.uuid()).replaceAll('-', '')
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-00`
}

/** The caller's trace context, or a new one where it sent none that is valid. */
export function traced(options: OperationOptions, random: Random): OperationOptions {
  const { traceparent, signal, baggage } = options
  if (isTraceparent(traceparent)) return { signal, traceparent, tracestate: options.tracestate, baggage }
  return { signal, traceparent: newTraceparent(random), baggage }
}

/** The context of metadata; as in Dapr its binary form comes first. */
export function traceparentOf(metadata: Fields): string | undefined {
  return fromBinary(metadata.get('grpc-trace-bin')) ?? metadata.get('traceparent')
}

/** Begins a trace where the fields carry none that is valid, in either form; a state without its trace says nothing. */
export function beginTrace(fields: Fields, random: Random): void {
  if (isTraceparent(fields.get('traceparent'))) return
  const carried = fromBinary(fields.get('grpc-trace-bin'))
  fields.set('traceparent', carried ?? newTraceparent(random))
  if (carried === undefined) fields.delete('tracestate')
}

/** The context in `grpc-trace-bin`: a version, then ids and flags, each behind its number. */
export function fromBinary(text: string | undefined): string | undefined {
  const hex = Buffer.from(text?.slice(0, 64) ?? '', 'base64').toString('hex')
  const [, traceId, spanId, flags = '00'] = /^0000(.{32})01(.{16})(?:02(.{2}))?/.exec(hex) ?? []
  const traceparent = `00-${traceId}-${spanId}-${flags}`
  return isTraceparent(traceparent) ? traceparent : undefined
}

/** The same the other way round; `undefined` for what is no `traceparent`. */
export function toBinary(traceparent: string | undefined): string | undefined {
  if (!isTraceparent(traceparent)) return undefined
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  // Metadata of gRPC is written without padding.
  return Buffer.from(`0000${traceId}01${spanId}02${flags}`, 'hex').toString('base64').replace(/=+$/, '')
}
