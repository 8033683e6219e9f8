export type Members = Readonly<Record<string, unknown>>

/** Names of members, and each of them by its lower case. */
export interface Names {
  readonly exact: ReadonlySet<string>
  readonly byLowerCase: ReadonlyMap<string, string>
}

export function namesOf(...names: readonly string[]): Names {
  return {
    exact: new Set(names),
    byLowerCase: new Map(names.map((name) => [name.toLowerCase(), name])),
  }
}

/**
 * The members of an object that was parsed from JSON by their right names, however they are written: Dapr's decoder
 * takes `Key` and `KEY` for `key`, and applications rely on it without knowing. As there, the last one counts.
 * An object that is written as documented comes back as it is.
 */
export function membersOf(object: Members, names: Names): Members {
  for (const name in object) if (!names.exact.has(name)) return renamed(object, names)
  return object
}

function renamed(object: Members, names: Names): Members {
  const result: Record<string, unknown> = {}
  for (const name in object) {
    const right = names.byLowerCase.get(name.toLowerCase())
    if (right !== undefined) result[right] = object[name]
  }
  return result
}
