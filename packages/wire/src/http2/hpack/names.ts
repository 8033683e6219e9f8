import { CONNECTION_SPECIFIC, INVALID, kindOfName } from './field-kind.ts'
import { staticIndexOfName, staticIndexOfValue } from './static-table.ts'

/** How the fields of one name are sent. */
export interface NameInfo {
  /** In lower case, as HTTP/2 wants it. */
  readonly name: string
  readonly kind: number
  /** Index of the name in the static table, 0 when it is not there. */
  readonly staticIndex: number
  readonly staticValues: ReadonlyMap<string, number> | undefined
  /** Secrets: literal, and marked so that no proxy indexes them either (RFC 7541, section 7.1.3). */
  readonly neverIndexed: boolean
  /** Left out: it is about one HTTP/1.1 connection, or its name cannot be sent. */
  readonly dropped: boolean
}

const secrets: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'dapr-api-token',
  'x-api-key',
  'x-amz-security-token',
])

/** Remembered, but not without end: names can come from outside. */
const maxNames = 2048
const names = new Map<string, NameInfo>()

export function nameInfo(given: string): NameInfo {
  const found = names.get(given)
  if (found !== undefined) return found
  const name = given.toLowerCase()
  const kind = kindOfName(name)
  const info: NameInfo = {
    name,
    kind,
    staticIndex: staticIndexOfName.get(name) ?? 0,
    staticValues: staticIndexOfValue.get(name),
    neverIndexed: secrets.has(name),
    dropped: kind === CONNECTION_SPECIFIC || kind === INVALID,
  }
  if (names.size >= maxNames) names.clear()
  names.set(given, info)
  return info
}
