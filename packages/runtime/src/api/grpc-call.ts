import type { Dapr } from '@outrigger/proto/runtime'
import type { HandlersOf } from '@outrigger/proto/serve'
import type { Metadata, OperationOptions } from '@outrigger/spec'
import type { ServerCall } from '@outrigger/wire/grpc'
import { traceparentOf } from '../telemetry/trace-context.ts'
import { ApiError } from './api-error.ts'

/** What answers methods of the service `Dapr`: each building block has some. */
export type DaprHandlers = HandlersOf<typeof Dapr>

/** Signal and trace context of a call, for the operation that it leads to. */
export function optionsOf(call: ServerCall): OperationOptions {
  const { metadata } = call
  return {
    signal: call.signal,
    traceparent: traceparentOf(metadata),
    tracestate: metadata.get('tracestate'),
    baggage: metadata.get('baggage'),
  }
}

/** Sends response metadata of a component as `metadata.<name>` headers. */
export function sendMetadata(call: ServerCall, metadata: Metadata | undefined): void {
  if (metadata === undefined) return
  const pairs = Object.entries(metadata).flatMap(([name, value]) => {
    const field = `metadata.${name.toLowerCase()}`
    return /^[a-z0-9_.-]+$/.test(field) && /^[\u0020-\u007e]*$/.test(value) ? [field, value] : []
  })
  if (pairs.length > 0) call.setMetadata(pairs)
}

/** A text of a request; empty counts as absent. */
export function optional(text: string): string | undefined {
  return text === '' ? undefined : text
}

/** A part of a request that must be there. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new ApiError('MALFORMED_REQUEST', `${name} is missing`)
  return value
}
