import type { Fields } from '@outrigger/wire'

/** Fields that belong to one connection (RFC 9110, 7.6.1). */
export const hopByHop: ReadonlySet<string> = new Set([
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

/** By length, so that hardly any other name has to be compared. */
const lengths: readonly boolean[] = Array.from({ length: 20 }, (_, length) =>
  [...hopByHop].some((name) => name.length === length),
)

/** Takes out what belongs to one connection, and what `connection` names. Changes `fields`. */
export function withoutHopByHop(fields: Fields): Fields {
  const flat = fields.flat()
  let found: string[] | undefined
  for (let index = 0; index < flat.length; index += 2) {
    const own = flat[index]!
    if (lengths[own.length] !== true) continue
    const name = own.toLowerCase()
    if (!hopByHop.has(name)) continue
    found ??= []
    found.push(name)
    if (name === 'connection')
      for (const named of flat[index + 1]!.split(',')) found.push(named.trim().toLowerCase())
  }
  if (found !== undefined) for (const name of found) fields.delete(name)
  return fields
}
