import type { MiddlewareRequest } from '@outrigger/spec'
import { fromJson, type Value } from './rego/values.ts'

/** What a policy sees of a request. @param included names of fields, lower-case */
export function inputOf(request: MiddlewareRequest, body: string, included: ReadonlySet<string>): Value {
  const path = unescaped(request.path)
  const headers: Record<string, string> = {}
  for (const name of included) {
    const values = request.fields.getAll(name)
    if (values.length > 0) headers[canonical(name)] = values.join(', ')
  }
  const query = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(request.query)) {
    const values = query.get(name)
    if (values === undefined) query.set(name, [value])
    else values.push(value)
  }
  return fromJson({
    request: {
      method: request.method,
      path,
      path_parts: path.replace(/^\/+/, '').replace(/\/+$/, '').split('/'),
      raw_query: request.query,
      query: Object.fromEntries(query),
      headers,
      // As in Dapr, whose server knows none.
      scheme: '',
      body,
    },
  })
}

/** `X-My-Header`: so policies write the names. */
function canonical(name: string): string {
  return name.replaceAll(
    /(^|-)([a-z])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  )
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
