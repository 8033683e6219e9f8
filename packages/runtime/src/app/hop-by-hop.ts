import type { Fields } from '@outrigger/wire'

/** Fields that belong to one connection (RFC 9110, 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Takes out what belongs to one connection, and what `connection` names. Changes `fields`. */
export function withoutHopByHop(fields: Fields): Fields {
  for (const value of fields.getAll('connection')) {
    for (const name of value.split(',')) fields.delete(name.trim().toLowerCase())
  }
  for (const [name] of [...fields]) if (hopByHop.has(name)) fields.delete(name)
  return fields
}
