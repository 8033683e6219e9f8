import { ApiError } from '../api-error.ts'

/** The methods that other sidecars can be told of. */
export const verbs: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
]

/**
 * A method as another sidecar is told of it. One that is not known there would come to the application as POST.
 * @throws ApiError DIRECT_INVOKE
 */
export function verbOfMethod(target: string, method: string): string {
  const verb = method.toUpperCase()
  if (verbs.includes(verb)) return verb
  const text = `failed to invoke, id: ${target}, err: the method ${method} cannot be passed on to other sidecars, only ${verbs.join(', ')}`
  throw new ApiError('DIRECT_INVOKE', text)
}
