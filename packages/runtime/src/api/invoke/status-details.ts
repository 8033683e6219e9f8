import type { GrpcError } from '@outrigger/wire/grpc'
import { Reader } from '../../peer/protobuf.ts'

/** The details of a status, each still encoded, out of the `google.rpc.Status` that came with it. */
export function statusDetails({ details }: GrpcError): readonly Uint8Array[] {
  if (details === undefined) return []
  const found: Uint8Array[] = []
  try {
    const reader = new Reader(details)
    while (reader.next()) {
      if (reader.field === 3) found.push(reader.bytes())
      else reader.skip()
    }
  } catch {
    // Bytes that are no status: code and message say enough.
    return []
  }
  return found
}
