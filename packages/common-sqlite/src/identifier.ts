import { ComponentError } from '@outrigger/spec'

/**
 * Checks the name of a table, which becomes part of a statement: ASCII letters, digits and `_`.
 * @returns the name in double quotes
 * @throws `INVALID_METADATA`
 */
export function quoteIdentifier(field: string, name: string): string {
  if (!/^[A-Za-z0-9_]{1,64}$/.test(name)) {
    throw new ComponentError(
      'INVALID_METADATA',
      `${field} must be 1 to 64 letters, digits and _, got ${JSON.stringify(name.slice(0, 80))}`,
    )
  }
  if (/^sqlite_/i.test(name)) {
    throw new ComponentError('INVALID_METADATA', `${field} must not begin with sqlite_, got "${name}"`)
  }
  return `"${name}"`
}
