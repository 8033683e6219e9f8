import type { OperationOptions } from '@outrigger/spec'
import type { ServerRequest, ServerResponse } from '@outrigger/wire'

/**
 * One HTTP call on its way through the runtime: the request, the response and what routing found.
 * It serves as the options of the operations it leads to, so that nothing else is created for them.
 */
export class HttpCall implements OperationOptions {
  readonly request: ServerRequest
  readonly response: ServerResponse
  /** The values of the route's parameters, unescaped, in the order of the route. */
  readonly params: readonly string[]
  private parsedQuery: URLSearchParams | undefined

  constructor(request: ServerRequest, response: ServerResponse, params: readonly string[]) {
    this.request = request
    this.response = response
    this.params = params
  }

  get signal(): AbortSignal {
    return this.request.signal
  }

  get traceparent(): string | undefined {
    return this.request.fields.get('traceparent')
  }

  get tracestate(): string | undefined {
    return this.request.fields.get('tracestate')
  }

  get baggage(): string | undefined {
    return this.request.fields.get('baggage')
  }

  /** A parameter of the query; empty counts as absent. */
  query(name: string): string | undefined {
    if (this.request.query === '') return undefined
    this.parsedQuery ??= new URLSearchParams(this.request.query)
    return this.parsedQuery.get(name) || undefined
  }

  /** Every value of a parameter that may be repeated, empty ones too. */
  queryAll(name: string): readonly string[] {
    if (this.request.query === '') return []
    this.parsedQuery ??= new URLSearchParams(this.request.query)
    return this.parsedQuery.getAll(name)
  }

  /** The `metadata.<name>=<value>` parameters of the query. */
  get metadata(): Readonly<Record<string, string>> {
    const { query } = this.request
    if (!query.includes('metadata.')) return none
    this.parsedQuery ??= new URLSearchParams(query)
    const found: Record<string, string> = Object.create(null) as Record<string, string>
    for (const [name, value] of this.parsedQuery)
      if (name.startsWith('metadata.')) found[name.slice(9)] = value
    return found
  }
}

const none: Readonly<Record<string, string>> = Object.freeze({})
