import { keyFromJwk, type LocalKey } from '@outrigger/common-crypto'
import { ComponentError, type Logger } from '@outrigger/spec'

/** The limit of a set: some thousand keys. */
export const maxBytes = 1024 * 1024

/** Keys by their `kid`. */
export type KeySet = ReadonlyMap<string, LocalKey>

/**
 * Reads a JSON Web Key Set, or a single key in its place (RFC 7517, 5). Keys that cannot be used are left out, as that
 * section wants it, and the log says which and why.
 * @throws ComponentError INVALID_METADATA where it is none; the text is never shown
 */
export function readKeySet(text: string, logger: Logger): KeySet {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw noSet('is not valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw noSet('is no JSON object')
  const given = value as Readonly<Record<string, unknown>>
  const keys = given['keys'] ?? ('kty' in given ? [given] : undefined)
  if (!Array.isArray(keys)) throw noSet('has no list of "keys"')
  const set = new Map<string, LocalKey>()
  for (const [index, jwk] of (keys as unknown[]).entries()) {
    const kid = typeof jwk === 'object' && jwk !== null ? (jwk as { kid?: unknown }).kid : undefined
    const skip = (problem: string): void => logger.warn(`a key of the set is left out: ${problem}`, { index })
    if (typeof kid !== 'string' || kid === '') skip('it has no "kid", and could not be asked for')
    else if (set.has(kid)) skip(`there are two of "kid" ${JSON.stringify(kid)}, and the first one counts`)
    else {
      try {
        set.set(kid, keyFromJwk(jwk))
      } catch (error) {
        skip(`${JSON.stringify(kid)}: ${(error as Error).message}`)
      }
    }
  }
  return set
}

function noSet(problem: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `jwks: the JSON Web Key Set ${problem}`)
}
