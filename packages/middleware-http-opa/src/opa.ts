import {
  ComponentError,
  type ComponentContext,
  type HttpMiddleware,
  type MiddlewareRequest,
  type MiddlewareResponse,
} from '@outrigger/spec'
import { inputOf } from './input.ts'
import { reasonPhrase } from './reason.ts'
import { compile, type Policy } from './rego/compile.ts'
import { RegoError } from './rego/error.ts'
import { evaluate } from './rego/evaluate.ts'
import { parseModule } from './rego/parser.ts'
import type { Value } from './rego/values.ts'
import { verdictOf } from './verdict.ts'

export interface Settings {
  readonly rego: string
  readonly defaultStatus: number
  readonly includedHeaders: readonly string[] | undefined
  readonly readBody: boolean
}

/** Longest policy, in characters. */
const maxLength = 1024 * 1024
const plainText = 'text/plain; charset=utf-8'

export async function createOpa(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock, logger } = context
  const { defaultStatus, readBody } = metadata
  const policy = compiled(metadata.rego)
  const included = new Set(
    (metadata.includedHeaders ?? []).map((name) => name.replaceAll(' ', '').toLowerCase()),
  )

  function ask(request: MiddlewareRequest, body: string): Value | undefined {
    // Another package has no rule of ours.
    if (policy.package.join('.') !== 'http') return undefined
    return evaluate(policy, 'allow', inputOf(request, body, included), { now: clock.now() })
  }

  function failed(request: MiddlewareRequest, problem: string): MiddlewareResponse {
    logger.warn('the policy gives no answer that can be used', { problem })
    const response = refuse(request, defaultStatus)
    response.fields.set('x-dapr-opa-error', 'true')
    return response
  }

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const body = readBody ? await taken(request) : ''
      let result: Value | undefined
      try {
        result = ask(request, body)
      } catch (error) {
        if (!(error instanceof RegoError)) throw error
        return failed(request, error.message)
      }
      const verdict = verdictOf(result, defaultStatus)
      if (typeof verdict === 'string') return failed(request, verdict)
      const { allow, status, headers } = verdict
      if (allow) {
        for (const [name, value] of headers) request.fields.set(name, value)
        return next(request)
      }
      const response = refuse(request, status)
      for (const [name, value] of headers) response.fields.set(name, value)
      return response
    },
    close: () => Promise.resolve(),
  }
}

/** The body as text; it goes on all the same. */
async function taken(request: MiddlewareRequest): Promise<string> {
  const bytes = await request.body.bytes()
  const length = request.fields.get('content-length')
  request.replaceBody(bytes)
  if (length !== undefined) request.fields.set('content-length', length)
  return new TextDecoder().decode(bytes)
}

function refuse(request: MiddlewareRequest, status: number): MiddlewareResponse {
  return request.respond(status, { 'content-type': plainText }, reasonPhrase(status))
}

function compiled(text: string): Policy {
  if (text.length > maxLength)
    throw new ComponentError('INVALID_METADATA', `rego is longer than ${maxLength} characters`)
  try {
    return compile(parseModule(text))
  } catch (cause) {
    if (!(cause instanceof RegoError)) throw cause
    throw new ComponentError('INVALID_METADATA', `rego cannot be used: ${cause.message}`, { cause })
  }
}
