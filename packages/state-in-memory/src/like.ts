const any = Symbol('%')
const one = Symbol('_')

/**
 * Makes the test for an SQL LIKE pattern: `%` any run of characters, `_` any one, `\` takes the next literally.
 * The time it takes grows with pattern times key and no more, whatever the pattern.
 */
export function likeMatcher(pattern: string): (key: string) => boolean {
  const tokens: (string | symbol)[] = []
  const characters = Array.from(pattern)
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!
    if (character === '%') {
      if (tokens.at(-1) !== any) tokens.push(any)
    } else if (character === '_') tokens.push(one)
    else if (character === '\\' && index + 1 < characters.length) tokens.push(characters[++index]!)
    else tokens.push(character)
  }
  const wild = tokens.findIndex((token) => typeof token === 'symbol')
  const literal = tokens.slice(0, wild === -1 ? tokens.length : wild).join('')
  if (wild === -1) return (key) => key === literal
  const rest = tokens.slice(wild)
  if (rest.length === 1 && rest[0] === any) return (key) => key.startsWith(literal)
  return (key) => key.startsWith(literal) && matches(rest, Array.from(key.slice(literal.length)))
}

/** The greedy way: of all runs only the latest is ever lengthened, which is enough. */
function matches(tokens: readonly (string | symbol)[], characters: readonly string[]): boolean {
  let token = 0
  let at = 0
  let run = -1
  let runStart = 0
  while (at < characters.length) {
    const wanted = tokens[token]
    if (wanted === any) {
      run = token++
      runStart = at
    } else if (wanted === one || wanted === characters[at]) {
      token++
      at++
    } else if (run >= 0) {
      token = run + 1
      at = ++runStart
    } else return false
  }
  while (tokens[token] === any) token++
  return token === tokens.length
}
