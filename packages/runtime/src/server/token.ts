/** Makes the check of the API token: always true without one. It compares in a time that tells nothing of the token. */
export function tokenCheck(expected: string | undefined): (given: string | undefined) => boolean {
  if (expected === undefined) return () => true
  // Loaded for those who have a token only: it is two megabytes.
  const { timingSafeEqual } = process.getBuiltinModule('node:crypto')
  const token = Buffer.from(expected)
  return (given) => {
    if (given === undefined) return false
    const bytes = Buffer.from(given)
    return bytes.length === token.length && timingSafeEqual(bytes, token)
  }
}
