/** Resolves empty and dot segments and takes the slash off the end; the path of most requests is clean already. */
export function cleanPath(path: string): string {
  if (path.length > 1 && path.endsWith('/')) path = path.slice(0, -1)
  if (!path.includes('//') && !path.includes('/.')) return path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/**
 * Why a path cannot be read; `undefined` when it can.
 * @param passedOn as it is, to whoever knows its letters
 */
export function pathProblem(path: string, passedOn: boolean): string | undefined {
  if (!path.includes('%')) return undefined
  if (/%(?![0-9A-Fa-f]{2})/.test(path))
    return 'the path has a % that begins no escape: write %25 for the sign itself'
  if (passedOn) return undefined
  try {
    decodeURIComponent(path)
    return undefined
  } catch {
    return 'the path has escapes that are no UTF-8'
  }
}
