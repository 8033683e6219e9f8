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
