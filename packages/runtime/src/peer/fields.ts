import type { Fields } from '@outrigger/wire'
import { withoutHopByHop } from '../app/hop-by-hop.ts'

const mostNames = 1000
const canonicalNames = new Map<string, string>()

/**
 * A name as Go's HTTP library writes it: `x-forwarded-for` is `X-Forwarded-For`. Sidecars in Go tell by that whether
 * a field came over HTTP.
 */
export function canonicalName(name: string): string {
  let canonical = canonicalNames.get(name)
  if (canonical === undefined) {
    canonical = name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
    if (canonicalNames.size < mostNames) canonicalNames.set(name, canonical)
  }
  return canonical
}

/** Said elsewhere in a message, or of one connection only. */
const notPassedOn: ReadonlySet<string> = new Set(['Host', 'Http2-Settings'])

/** Header fields of HTTP as the metadata of a message between sidecars. Changes `fields`. */
export function httpMetadata(fields: Fields): string[] {
  const flat = withoutHopByHop(fields).flat()
  const metadata: string[] = []
  for (let index = 0; index < flat.length; index += 2) {
    const name = canonicalName(flat[index]!)
    if (!notPassedOn.has(name)) metadata.push(name, flat[index + 1]!)
  }
  return metadata
}

/** The first value of a name, which is given in lower case, in metadata: names and values in turn. */
export function valueOf(metadata: readonly string[], name: string): string | undefined {
  for (let index = 0; index < metadata.length; index += 2) {
    const own = metadata[index]!
    if (own.length === name.length && own.toLowerCase() === name) return metadata[index + 1]
  }
  return undefined
}
