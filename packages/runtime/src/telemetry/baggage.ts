const mostBytes = 8192
const mostMembers = 180
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Without blanks, quotes, commas, semicolons and backslashes (W3C Baggage, section 3.3.1). */
const octets = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/** What is wrong with the fields of the name `baggage`; `undefined` when nothing is. */
export function baggageProblem(values: readonly string[]): string | undefined {
  const text = values.join(',')
  if (text.length > mostBytes) return `it is longer than ${mostBytes} bytes`
  const members = text.split(',')
  if (members.length > mostMembers) return `it has more than ${mostMembers} members`
  for (const member of members) {
    const problem = memberProblem(member)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** `key = value ;property ;property = value` */
function memberProblem(member: string): string | undefined {
  const [pair = '', ...properties] = member.split(';')
  const equals = pair.indexOf('=')
  if (equals < 0) return `the member ${quoted(member)} has no value`
  const key = pair.slice(0, equals).trim()
  if (!token.test(key)) return `the key ${quoted(key)} is not allowed`
  if (!isValue(pair.slice(equals + 1).trim())) return `the value of ${key} is not allowed`
  for (const property of properties) {
    const at = property.indexOf('=')
    const name = (at < 0 ? property : property.slice(0, at)).trim()
    if (!token.test(name)) return `the property ${quoted(name)} of ${key} is not allowed`
    if (at >= 0 && !isValue(property.slice(at + 1).trim()))
      return `the value of the property ${name} of ${key} is not allowed`
  }
  return undefined
}

function isValue(text: string): boolean {
  if (!octets.test(text)) return false
  return !/%(?![0-9A-Fa-f]{2})/.test(text)
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 50))
}
