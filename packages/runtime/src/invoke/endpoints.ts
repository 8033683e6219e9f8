import { createClient, Fields, type Client, type TlsOptions } from '@outrigger/wire'
import { ApiError } from '../api/api-error.ts'
import type { AppRequest, AppResponse } from '../app/channel.ts'
import { withoutHopByHop } from '../app/hop-by-hop.ts'
import { bodyOf } from '../app/http-channel.ts'

/** Where requests go that are not for an application with a sidecar. */
export interface HttpEndpoint {
  /** Any status is an answer. Rejects with a WireError when there is none. */
  call(request: AppRequest): Promise<AppResponse>
}

/** An HTTPEndpoint resource, secrets filled in. */
export interface EndpointSettings {
  readonly name: string
  readonly baseUrl: string
  /** Put in the place of those that a request has: names and values in turn. */
  readonly headers: readonly string[]
  readonly tls: TlsOptions | undefined
}

/** Fields that are for sidecars only. */
const internal = [
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'dapr-callee-app-id',
  'dapr-app-id',
  'dapr-api-token',
]

/** The endpoints that resources name, and those that callers give as a URL. */
export class HttpEndpoints {
  readonly #named: ReadonlyMap<string, Endpoint>
  readonly #clients: Client[] = []
  #shared: Client | undefined

  constructor(settings: readonly EndpointSettings[]) {
    this.#named = new Map(
      settings.map((one) => {
        const client = one.tls === undefined ? () => this.#client() : this.#ownClient(one.tls)
        return [one.name, new Endpoint(one.baseUrl, one.headers, client)]
      }),
    )
  }

  get names(): readonly string[] {
    return [...this.#named.keys()]
  }

  find(name: string): HttpEndpoint | undefined {
    return this.#named.get(name)
  }

  /** What is behind a URL with `http://` or `https://`. @throws TypeError for what is no URL */
  of(url: string): HttpEndpoint {
    return new Endpoint(url, [], () => this.#client())
  }

  close(): void {
    this.#shared?.close()
    for (const client of this.#clients) client.close()
  }

  #client(): Client {
    this.#shared ??= createClient()
    return this.#shared
  }

  #ownClient(tls: TlsOptions): () => Client {
    const client = createClient({ tls })
    this.#clients.push(client)
    return () => client
  }
}

class Endpoint implements HttpEndpoint {
  readonly #origin: string
  readonly #path: string
  readonly #query: string
  readonly #authorization: string | undefined
  readonly #headers: readonly string[]
  readonly #client: () => Client

  constructor(baseUrl: string, headers: readonly string[], client: () => Client) {
    const url = new URL(baseUrl)
    this.#origin = url.origin
    this.#path = url.pathname.replace(/\/+$/, '')
    this.#query = url.search.slice(1)
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    this.#authorization = user === ':' ? undefined : `Basic ${Buffer.from(user, 'utf8').toString('base64')}`
    this.#headers = headers
    this.#client = client
  }

  async call(request: AppRequest): Promise<AppResponse> {
    const fields = withoutHopByHop(Fields.from(request.fields ?? []))
    for (const name of internal) fields.delete(name)
    fields.delete('host')
    if (this.#authorization !== undefined && !fields.has('authorization'))
      fields.set('authorization', this.#authorization)
    for (let index = 0; index < this.#headers.length; index += 2)
      fields.set(this.#headers[index]!, this.#headers[index + 1]!)
    const response = await this.#client().request({
      method: request.method,
      origin: this.#origin,
      path: this.#target(request.path),
      fields,
      ...(request.body !== undefined && bodyOf(request.body)),
      ...(request.signal !== undefined && { signal: request.signal }),
    })
    return { status: response.status, fields: withoutHopByHop(response.fields), body: response.body }
  }

  /** The headers of an endpoint are for what is below its base. @throws ApiError DIRECT_INVOKE */
  #mustBeBelow(whole: string): void {
    // Who serves it may take an escaped slash for one.
    const { pathname } = new URL(whole.split('?', 1)[0]!.replaceAll(/%2f|%5c/gi, '/'), this.#origin)
    if (pathname === this.#path || pathname.startsWith(`${this.#path}/`)) return
    throw new ApiError('DIRECT_INVOKE', 'failed to invoke: the path leads out of its baseUrl')
  }

  #target(path: string): string {
    const whole = this.#path + (path === '/' && this.#path !== '' ? '' : path)
    if (this.#path !== '' && /\.\.|%2e/i.test(path)) this.#mustBeBelow(whole)
    if (this.#query === '') return whole
    return `${whole}${whole.includes('?') ? '&' : '?'}${this.#query}`
  }
}
