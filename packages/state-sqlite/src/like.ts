/**
 * Turns a LIKE pattern (`%`, `_`, and `\` before what is meant literally) into a GLOB pattern:
 * SQLite's own LIKE takes upper and lower case for the same, and keys do not.
 */
export function likeToGlob(pattern: string): string {
  let glob = ''
  for (let index = 0; index < pattern.length; index++) {
    let char = pattern[index]!
    if (char === '%') {
      // Several in a row mean the same as one and only cost time.
      if (!glob.endsWith('*')) glob += '*'
      continue
    }
    if (char === '_') {
      glob += '?'
      continue
    }
    if (char === '\\' && index + 1 < pattern.length) char = pattern[++index]!
    glob += literal(char)
  }
  return glob
}

/** A GLOB pattern for everything that begins with a text. */
export function prefixToGlob(prefix: string): string {
  return `${Array.from(prefix, literal).join('')}*`
}

function literal(char: string): string {
  return char === '*' || char === '?' || char === '[' ? `[${char}]` : char
}
