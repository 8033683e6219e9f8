import { Obj, type Value } from './rego/values.ts'

/** What a policy says of a request. */
export interface Verdict {
  readonly allow: boolean
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- these are what a field value cannot hold
const unfit = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** Reads the value of `allow`: a boolean, or an object. Returns what is wrong with it otherwise. */
export function verdictOf(result: Value | undefined, defaultStatus: number): Verdict | string {
  if (result === undefined) return 'data.http.allow has no value: does the policy set it in the package http?'
  if (typeof result === 'boolean') return { allow: result, status: defaultStatus, headers: [] }
  if (!(result instanceof Obj)) return 'data.http.allow must be a boolean or an object'
  const allow = result.get('allow') ?? false
  if (typeof allow !== 'boolean') return 'allow must be a boolean'
  const status = result.get('status_code') ?? defaultStatus
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599)
    return 'status_code must be a status'
  const given = result.get('additional_headers') ?? new Obj()
  if (!(given instanceof Obj)) return 'additional_headers must be an object'
  const headers: [string, string][] = []
  for (const [name, value] of given.entries) {
    if (typeof name !== 'string' || typeof value !== 'string' || !token.test(name) || unfit.test(value))
      return 'additional_headers must hold names and values of header fields'
    headers.push([name.toLowerCase(), value])
  }
  return { allow, status, headers }
}
