const dots = /^\.{1,2}(?:(?:;|%3b).*)?$/i

/**
 * A path with its dot segments resolved as servers may do it that unescape first: `/a/%2e%2e/b` and `/a/..;x/b` are
 * `/b` to some of them. A path without such segments stays as it is, escapes and all.
 */
export function withoutDotSegments(path: string): string {
  const segments = path.replaceAll(/%2e/gi, '.').split(/\/|\\|%2f|%5c/i)
  if (!segments.some((segment) => dots.test(segment))) return path
  const kept: string[] = []
  for (const segment of segments) {
    if (!dots.test(segment)) kept.push(segment)
    else if (segment.startsWith('..') && kept.length > 1) kept.pop()
  }
  const resolved = kept.join('/')
  return resolved === '' ? '/' : resolved
}

/** A path without the parameters of its segments (`/a;b=c`, RFC 3986, section 3.3), which some servers take off. */
export function withoutPathParameters(path: string): string {
  return path.replaceAll(/(?:;|%3b)(?:(?!%2f|%5c)[^/\\])*/gi, '')
}

/** A path with its escapes taken for what they stand for; what is not escaped well stays as it is. */
export function unescapedPath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
