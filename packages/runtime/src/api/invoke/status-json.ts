import { detailsOf } from '@outrigger/proto/status'
import type { GrpcError } from '@outrigger/wire/grpc'

/** A status of gRPC in protobuf's JSON, with the details that are known. */
export function statusJson(error: GrpcError): string {
  const { reason, domain, metadata, resource, violations, help, retryAfterMs } = detailsOf(error)
  const details: object[] = []
  const add = (name: string, detail: object): void =>
    void details.push({ '@type': `type.googleapis.com/google.rpc.${name}`, ...detail })
  if (reason !== undefined) {
    const some = metadata !== undefined && Object.keys(metadata).length > 0
    add('ErrorInfo', { reason, domain, ...(some && { metadata }) })
  }
  if (resource !== undefined) {
    const { type, name, owner, description } = resource
    add('ResourceInfo', { resourceType: type, resourceName: name, owner, description })
  }
  if (violations !== undefined) add('BadRequest', { fieldViolations: violations })
  if (help !== undefined) add('Help', { links: help })
  if (retryAfterMs !== undefined) add('RetryInfo', { retryDelay: `${retryAfterMs / 1000}s` })
  const { code, message } = error
  return JSON.stringify({
    code,
    ...(message !== '' && { message }),
    ...(details.length > 0 && { details }),
  })
}
