import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { anyPack, anyUnpack, type Any } from '@bufbuild/protobuf/wkt'
import { GrpcError, type GrpcStatusCode } from '@outrigger/wire/grpc'
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from './generated/google/rpc/error_details_pb.ts'
import { StatusSchema } from './generated/google/rpc/status_pb.ts'

export * from './generated/google/rpc/error_details_pb.ts'
export * from './generated/google/rpc/status_pb.ts'

/** What a status says beside code and text; each part becomes one detail. */
export interface ErrorDetails {
  /** Of ErrorInfo: which error it is. Without a reason there is no ErrorInfo. */
  readonly reason?: string | undefined
  /** Of ErrorInfo: who defines the reason. Default `dapr.io`. */
  readonly domain?: string | undefined
  /** Of ErrorInfo. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly resource?:
    | {
        readonly type?: string | undefined
        readonly name: string
        readonly owner?: string
        readonly description?: string
      }
    | undefined
  readonly violations?: readonly { readonly field: string; readonly description: string }[] | undefined
  readonly help?: readonly { readonly description: string; readonly url: string }[] | undefined
  readonly retryAfterMs?: number | undefined
}

export interface RichStatus {
  /** gRPC code. */
  readonly code: number
  readonly message: string
  readonly details: ErrorDetails
}

/** `google.rpc.Status` as bytes: the value of `grpc-status-details-bin` before base64. */
export function encodeStatus({ code, message, details }: RichStatus): Uint8Array {
  const { reason, domain = 'dapr.io', metadata = {}, resource, violations, help, retryAfterMs } = details
  const packed: Any[] = []
  if (reason !== undefined) packed.push(pack(ErrorInfoSchema, { reason, domain, metadata }))
  if (resource) {
    const { type = '', name, owner = '', description = '' } = resource
    packed.push(pack(ResourceInfoSchema, { resourceType: type, resourceName: name, owner, description }))
  }
  if (violations?.length)
    packed.push(pack(BadRequestSchema, { fieldViolations: violations.map((v) => ({ ...v })) }))
  if (help?.length) packed.push(pack(HelpSchema, { links: help.map((link) => ({ ...link })) }))
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1000)
    const nanos = Math.round((retryAfterMs - seconds * 1000) * 1e6)
    packed.push(pack(RetryInfoSchema, { retryDelay: { seconds: BigInt(seconds), nanos } }))
  }
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details: packed }))
}

/** Reads what `encodeStatus` writes, from any peer; `undefined` when it is no status. Details of other types are left out. */
export function decodeStatus(bytes: Uint8Array): RichStatus | undefined {
  try {
    const { code, message, details } = fromBinary(StatusSchema, bytes)
    const info = find(details, ErrorInfoSchema)
    const resource = find(details, ResourceInfoSchema)
    const bad = find(details, BadRequestSchema)
    const help = find(details, HelpSchema)
    const retry = find(details, RetryInfoSchema)?.retryDelay
    return {
      code,
      message,
      details: {
        ...(info && { reason: info.reason, domain: info.domain, metadata: info.metadata }),
        ...(resource && {
          resource: {
            type: resource.resourceType,
            name: resource.resourceName,
            owner: resource.owner,
            description: resource.description,
          },
        }),
        ...(bad && {
          violations: bad.fieldViolations.map(({ field, description }) => ({ field, description })),
        }),
        ...(help && { help: help.links.map(({ description, url }) => ({ description, url })) }),
        ...(retry && { retryAfterMs: Number(retry.seconds) * 1000 + retry.nanos / 1e6 }),
      },
    }
  } catch {
    return undefined
  }
}

/** The error that a handler throws for this status. */
export function grpcError(
  status: RichStatus & { readonly code: GrpcStatusCode },
  options: { readonly cause?: unknown } = {},
): GrpcError {
  const { code, message } = status
  return new GrpcError(code, message, { ...options, details: encodeStatus(status) })
}

/** What a peer's error says beside code and text; nothing when that cannot be read. */
export function detailsOf({ details }: GrpcError): ErrorDetails {
  return (details && decodeStatus(details)?.details) ?? {}
}

function pack<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Any {
  return anyPack(schema, create(schema, message))
}

function find<D extends DescMessage>(details: readonly Any[], schema: D): MessageShape<D> | undefined {
  for (const detail of details) {
    const message = anyUnpack(detail, schema)
    if (message !== undefined) return message
  }
  return undefined
}
