import { ApiError } from '../api-error.ts'

// oxlint-disable-next-line no-control-regex -- these are what a name cannot hold
const unfit = /[#?\u0000-\u001f\u007f]/

/**
 * The name of a method without empty and dot segments, and without the slash before it.
 * @throws ApiError DIRECT_INVOKE when it holds what would end a path
 */
export function methodName(target: string, text: string): string {
  if (unfit.test(text)) {
    throw new ApiError(
      'DIRECT_INVOKE',
      `failed to invoke, id: ${target}, err: invalid method: "#", "?" and control characters cannot be in it; a query belongs into message.httpExtension.querystring`,
    )
  }
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(text)) return text
  const kept: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  return kept.join('/')
}

/** The name of a method that a path means; what is not escaped well stays as it is. */
export function methodOfPath(target: string, path: string): string {
  let text = path
  try {
    text = decodeURIComponent(path)
  } catch {
    // Bytes that are no UTF-8.
  }
  return methodName(target, text)
}

/** The path of a method, escaped where it has to be; what looks escaped already stays. */
export function pathOfMethod(name: string): string {
  return `/${name.replace(/[^\w\-.~!$&'()*+,;=:@/%]+/g, encodeURIComponent)}`
}
