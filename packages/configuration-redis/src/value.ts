import type { ConfigurationItem } from '@outrigger/spec'

/**
 * Reads a value as Dapr's component of this name does: `value||version`; the version is optional, and what follows a
 * second `||` is left out. An empty value counts as none.
 */
export function itemOf(text: string): ConfigurationItem | undefined {
  const [value = '', version = ''] = text.split('||')
  if (value === '') return undefined
  return version === '' ? { value } : { value, version }
}
