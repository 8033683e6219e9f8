import type { ConfigurationChanges, ConfigurationItem } from '@outrigger/spec'

interface WireItem {
  readonly value?: string
  readonly version?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** Items in their JSON form: as in Dapr, what is empty is left out, and a deleted item is `{}`. */
export function wireItems(items: ConfigurationChanges): Readonly<Record<string, WireItem>> {
  // From entries and not by assignment: a key may have any name.
  return Object.fromEntries(Object.entries(items).map(([key, item]) => [key, wireItem(item)]))
}

function wireItem(item: ConfigurationItem | undefined): WireItem {
  if (item === undefined) return {}
  const { value, version, metadata } = item
  return {
    ...(value !== '' && { value }),
    ...(version !== undefined && version !== '' && { version }),
    ...(metadata !== undefined && Object.keys(metadata).length > 0 && { metadata }),
  }
}
