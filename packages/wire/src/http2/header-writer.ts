import { WireError } from '../error.ts'
import type { FlatFields } from '../fields.ts'
import type { Output } from './frames/output.ts'
import { blockOverhead, fieldOverhead } from './hpack/encoder.ts'
import type { HpackEncoder } from './hpack/encoder.ts'
import {
  CONTENT_LENGTH,
  HOST,
  isPadded,
  isValueText,
  METHOD,
  PROTOCOL,
  TE,
  UNKNOWN_PSEUDO,
  unpadded,
} from './hpack/field-kind.ts'
import { nameInfo } from './hpack/names.ts'

/** Pseudo-header fields: names and values in turn. */
export type Pseudo = readonly string[]

/**
 * Writes a header section. Fields that belong to HTTP/1.1's framing are left out; `length` is the
 * content-length to send, -1 for none, -2 to keep that of `fields`.
 * Throws before anything is written, so that both sides' tables stay alike.
 */
export function writeHeaders(
  output: Output,
  encoder: HpackEncoder,
  streamId: number,
  pseudo: Pseudo,
  fields: FlatFields,
  length: number,
  endStream: boolean,
  maxFrameSize: number,
): void {
  const room = measure(pseudo, true) + measure(fields, false) + blockOverhead + fieldOverhead + 32
  let at = output.openHeaders(room)
  const { bytes } = output
  at = encoder.begin(bytes, at)
  for (let index = 0; index < pseudo.length; index += 2) {
    at = encoder.field(bytes, at, pseudo[index]!, pseudo[index + 1]!)
  }
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    const value = fields[index + 1]!
    // Others may refuse blanks at the ends.
    if (keeps(name, value, length))
      at = encoder.field(bytes, at, name, isPadded(value) ? unpadded(value) : value)
  }
  if (length >= 0) at = encoder.field(bytes, at, 'content-length', String(length))
  output.closeHeaders(streamId, at, endStream, maxFrameSize)
}

function keeps(name: string, value: string, length: number): boolean {
  const info = nameInfo(name)
  if (info.dropped) return false
  switch (info.kind) {
    case CONTENT_LENGTH:
      return length === -2
    case TE:
      return value.toLowerCase() === 'trailers'
    case HOST:
      // It is :authority.
      return false
    default:
      return true
  }
}

/** Bytes that the fields may take, once they are known to be sendable. */
function measure(fields: FlatFields, pseudo: boolean): number {
  let room = 0
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    const value = fields[index + 1]
    if (value === undefined || !isValueText(value)) {
      throw new WireError('PROTOCOL', `the value of the field ${JSON.stringify(name)} cannot be sent`)
    }
    const { kind } = nameInfo(name)
    if (kind >= UNKNOWN_PSEUDO || (!pseudo && kind >= METHOD && kind <= PROTOCOL)) {
      throw new WireError('PROTOCOL', `the field name ${JSON.stringify(name)} cannot be sent`)
    }
    room += name.length + value.length + fieldOverhead
  }
  return room
}
