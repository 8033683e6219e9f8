import { clientError, type OutriggerError } from './error.ts'
import type { GrpcConnectionOptions } from './settings.ts'

// Programs in JavaScript have no compiler that checks what they give.

type Type = 'string' | 'number' | 'object'
type Rules<T> = { readonly [K in keyof Required<T>]: readonly [type: Type, wanted: string] }

export const httpEndpointForms = 'http://host:port, https://host:port or unix:/path'
export const grpcEndpointForms = 'host:port, http://host:port, https://host:port or unix:/path'

/** Of HTTP and of gRPC: the same settings serve either, so that a program can change its transport alone. */
export const connectionRules: Rules<GrpcConnectionOptions & { readonly app?: unknown }> = {
  httpEndpoint: ['string', httpEndpointForms],
  grpcEndpoint: ['string', grpcEndpointForms],
  apiToken: ['string', 'a text'],
  timeoutMs: ['number', 'a number of milliseconds, or 0'],
  maxBodyBytes: ['number', 'a number of bytes above 0'],
  env: ['object', 'an object of texts, such as process.env'],
  app: ['object', 'an application, as createApp makes it'],
}

export const inProcessRules: Rules<{ readonly runtime: unknown; readonly maxBodyBytes?: number }> = {
  runtime: ['object', 'a runtime, as createRuntime of @outrigger/runtime makes it'],
  maxBodyBytes: connectionRules.maxBodyBytes,
}

/**
 * Checks names and types of what `createClient` was given.
 * @throws OutriggerError ERR_CLIENT_ARGUMENT
 */
export function checkOptions(given: object, rules: Rules<object>): void {
  const known = new Map<string, readonly [Type, string]>(Object.entries(rules))
  const names = [...known.keys()]
  if (!isA('object', given))
    throw bad('what createClient takes', typeof given, `an object with ${names.join(', ')}`)
  for (const [name, value] of Object.entries(given)) {
    const rule = known.get(name)
    if (rule === undefined) {
      const meant = names.find((each) => isNear(name.toLowerCase(), each.toLowerCase()))
      const hint = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`
      throw clientError('ERR_CLIENT_ARGUMENT', `${name.slice(0, 100)} is no option of createClient; ${hint}`)
    }
    if (value !== undefined && !isA(rule[0], value)) throw bad(name, shown(name, value), rule[1])
  }
}

export function bad(name: string, value: unknown, wanted: string): OutriggerError {
  return clientError('ERR_CLIENT_ARGUMENT', `${name} is ${JSON.stringify(value)}; it must be ${wanted}`)
}

export function withoutPassword(text: string): string {
  return text.replace(/[^/]*@/, '***@')
}

function isA(type: Type, value: unknown): boolean {
  return typeof value === type && value !== null
}

/** For a few names it is enough that what differs is short and in one place. */
function isNear(left: string, right: string): boolean {
  const least = Math.min(left.length, right.length)
  let begin = 0
  while (begin < least && left[begin] === right[begin]) begin++
  let end = 0
  while (end < least - begin && left.at(-1 - end) === right.at(-1 - end)) end++
  return Math.max(left.length, right.length) - begin - end <= 2
}

/** Never what may be a secret: a token of the wrong type, the environment, what is in an object. */
function shown(name: string, value: unknown): unknown {
  const mayBeSecret = name === 'apiToken' || name === 'env' || isA('object', value)
  if (value === null || !mayBeSecret)
    return typeof value === 'string' ? withoutPassword(value).slice(0, 80) : value
  return `(${typeof value}, not shown)`
}
