import type { ServerRequest, ServerResponse } from '@outrigger/wire'
import { ResponseWithFields } from './response-with-fields.ts'

/** Cross-origin calls, for the origins that were allowed. */
export class Cors {
  readonly #any: boolean
  readonly #origins: ReadonlySet<string>
  /** What stands before and behind the star. */
  readonly #patterns: readonly (readonly [before: string, behind: string])[]

  /** @param origins `*` for any; one star in an origin stands for any text: `https://*.example.com` */
  constructor(origins: readonly string[]) {
    const all = origins.map((origin) => origin.toLowerCase())
    this.#any = all.includes('*')
    this.#origins = new Set(all)
    this.#patterns = all.flatMap((origin) => {
      const star = origin.indexOf('*')
      return star === -1 ? [] : [[origin.slice(0, star), origin.slice(star + 1)] as const]
    })
  }

  /** Adds the fields that let the page read the answer. */
  decorate(request: ServerRequest, response: ServerResponse): ServerResponse {
    const origin = this.#allowed(request)
    if (origin === undefined) return response
    const fields = ['access-control-allow-origin', this.#any ? '*' : origin, 'vary', 'origin']
    // A page reads nothing of an answer with two: an application that is called may have written its own.
    return new ResponseWithFields(response, fields, { instead: true })
  }

  /** Answers a preflight request, and says whether it was one. */
  answersPreflight(request: ServerRequest, response: ServerResponse): boolean {
    if (request.method !== 'OPTIONS' || !request.fields.has('access-control-request-method')) return false
    if (this.#allowed(request) === undefined) {
      response.send(403)
      return true
    }
    response.send(204, [
      'access-control-allow-methods',
      'GET, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers',
      request.fields.get('access-control-request-headers') ?? '',
      'access-control-max-age',
      '600',
    ])
    return true
  }

  #allowed(request: ServerRequest): string | undefined {
    const origin = request.fields.get('origin')
    if (origin === undefined) return undefined
    return this.#any || this.#fits(origin.toLowerCase()) ? origin : undefined
  }

  #fits(origin: string): boolean {
    if (this.#origins.has(origin)) return true
    return this.#patterns.some(
      ([before, behind]) =>
        origin.length >= before.length + behind.length &&
        origin.startsWith(before) &&
        origin.endsWith(behind),
    )
  }
}
