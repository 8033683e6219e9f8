import { Fields, type FieldsInit } from '../fields.ts'

/** Fields that are the protocol's own and no metadata. */
const own: ReadonlySet<string> = new Set([
  'content-type',
  'te',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'grpc-status',
  'grpc-message',
  'grpc-status-details-bin',
  'user-agent',
])

/** Whether a field may be sent as metadata by an application. */
export function isMetadata(name: string): boolean {
  return !own.has(name) && !name.startsWith(':')
}

/** The fields that are metadata, in order. Binary values that a peer has joined by commas come one by one. */
export function metadataOf(fields: Fields): Fields {
  const found = new Fields()
  for (const [name, value] of fields) {
    if (!isMetadata(name)) continue
    if (name.endsWith('-bin') && value.includes(',')) {
      for (const part of value.split(',')) found.append(name, part.trim())
    } else found.append(name, value)
  }
  return found
}

/** Appends metadata to the fields of a message; what is the protocol's own is left out. */
export function appendMetadata(to: string[], metadata: FieldsInit | undefined): void {
  if (metadata === undefined) return
  const pairs = metadata instanceof Fields ? metadata : Fields.from(metadata)
  for (const [name, value] of pairs) if (isMetadata(name)) to.push(name, value)
}

/** A value of a field whose name ends in `-bin`. */
export function encodeBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64').replace(/=+$/, '')
}

/** Undoes `encodeBinary`, with or without padding. */
export function decodeBinary(value: string): Uint8Array {
  return Buffer.from(value, 'base64')
}
