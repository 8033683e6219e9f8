import type { Metadata } from '@outrigger/spec'
import { hopByHop } from './hop-by-hop.ts'
import { isTrustedField } from './trusted-fields.ts'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- these are what a field value cannot hold
const unfit = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** Fields that say something about the request itself or its connection. */
const reserved: ReadonlySet<string> = new Set([
  ...hopByHop,
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
])
const none: ReadonlySet<string> = new Set()

/** Adds header fields of metadata; what cannot be a field is left out, and so are the names in `without`. */
export function metadataFields(
  prefix: string,
  metadata: Metadata,
  fields: string[],
  without: ReadonlySet<string> = none,
): void {
  for (const name in metadata) {
    const value = metadata[name]!
    const field = (prefix + name).toLowerCase()
    if (!token.test(name) || !isFieldValue(value) || reserved.has(field) || without.has(field)) continue
    if (isTrustedField(field)) continue
    fields.push(prefix + name, asField(value))
  }
}

/** Whether a text can be the name of a header field. */
export function isFieldName(name: string): boolean {
  return token.test(name)
}

/** Whether a text can be the value of a header field. */
export function isFieldValue(value: string): boolean {
  return !unfit.test(value)
}

/** A header value is bytes on the wire; text goes as UTF-8. */
export function asField(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1')
}

/** Undoes `asField`. */
export function fromField(value: string): string {
  // oxlint-disable-next-line no-control-regex -- it is what ASCII is
  return /^[\u0000-\u007f]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8')
}
