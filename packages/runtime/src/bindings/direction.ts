import { metadataValue } from '../pubsub/metadata.ts'

/** What `direction: input, output` of the component says; `undefined` when it says nothing. */
export function declaredDirections(
  properties: Readonly<Record<string, string>>,
): ReadonlySet<string> | undefined {
  const value = metadataValue(properties, 'direction')
  if (value === undefined) return undefined
  return new Set(value.split(',').map((part) => part.trim().toLowerCase()))
}
