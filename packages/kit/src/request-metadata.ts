import type { Metadata } from '@outrigger/spec'

/** Looks a name up in request metadata, without regard to case; the exact name wins. */
export function metadataValue(metadata: Metadata, name: string): string | undefined {
  const exact = metadata[name]
  if (exact !== undefined) return exact
  const wanted = name.toLowerCase()
  for (const [key, value] of Object.entries(metadata)) if (key.toLowerCase() === wanted) return value
  return undefined
}
