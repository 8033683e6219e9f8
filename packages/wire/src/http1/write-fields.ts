import { WireError } from '../error.ts'
import type { FlatFields } from '../fields.ts'
import { tokenBytes } from './syntax.ts'

/** What a field value must not hold (RFC 9110, section 5.5): it could end the field, or become something else on the way. */
const forbidden = /[^\t\x20-\x7e\x80-\xff]/

/** One field as it goes over the wire; throws when it is malformed. */
export function writeField(name: string, value: string): string {
  if (typeof value !== 'string') value = String(value)
  if (!isToken(name)) throw malformed(`the field name ${JSON.stringify(name)} is malformed`)
  // The value may be a secret.
  if (forbidden.test(value))
    throw malformed(`the value of the field ${name} has a character that is not allowed`)
  return `${name}: ${value}\r\n`
}

/** Fields without those that say how a message is laid out. */
export function writeFields(flat: FlatFields, keepLength: boolean): string {
  let text = ''
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!
    if (!isFraming(name, keepLength)) text += writeField(name, flat[index + 1]!)
  }
  return text
}

/** Whether this is a method or field name (RFC 9110, section 5.6.2). */
export function isToken(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (tokenBytes[text.charCodeAt(index)] !== 1) return false
  return text.length > 0
}

/** Fields that say how a message is laid out on its connection, and so are not the caller's. */
export function isFraming(name: string, keepLength: boolean): boolean {
  switch (name.length) {
    case 7:
      return name.toLowerCase() === 'upgrade' || name.toLowerCase() === 'trailer'
    case 10:
      return name.toLowerCase() === 'connection' || name.toLowerCase() === 'keep-alive'
    case 14:
      return !keepLength && name.toLowerCase() === 'content-length'
    case 16:
      return name.toLowerCase() === 'proxy-connection'
    case 17:
      return name.toLowerCase() === 'transfer-encoding'
    default:
      return false
  }
}

function malformed(message: string): WireError {
  return new WireError('PROTOCOL', message)
}
