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
    canonical = name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
    if (canonicalNames.size < mostNames) canonicalNames.set(name, canonical)
  }
  return canonical
}

/** Said elsewhere in a message, or of one connection only. */
const notPassedOn: ReadonlySet<string> = new Set(['host', 'http2-settings'])

/** Header fields of HTTP as the metadata of a message between sidecars. Changes `fields`. */
export function httpMetadata(fields: Fields): string[] {
  const metadata: string[] = []
  for (const [name, value] of withoutHopByHop(fields)) {
    if (!notPassedOn.has(name)) metadata.push(canonicalName(name), value)
  }
  return metadata
}
