import type { MiddlewareFields, MiddlewareRequest, MiddlewareResponse } from '@outrigger/spec'
import { GuestError } from './memory.ts'

/** What a module may ask for with `enable_features`. */
export const feature = { bufferRequest: 1, bufferResponse: 2 } as const
/** Trailers are not among them. */
export const supportedFeatures = feature.bufferRequest | feature.bufferResponse

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- these are what a field value cannot hold
const unfit = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** Bytes that a module reads piece by piece. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Fills `target` as far as it goes. @returns how many bytes, and whether that was the end */
  read(target: Uint8Array): bigint {
    const chunk = this.#bytes.subarray(this.#at, this.#at + target.length)
    target.set(chunk)
    this.#at += chunk.length
    const ended = chunk.length < target.length
    return BigInt(chunk.length) | (ended ? 1n << 32n : 0n)
  }
}

/** What the module wrote comes before what those behind answer. */
async function* following(written: Uint8Array, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield written
  yield* body
}

/** A request with its answer, as a module sees them: first alone, then with what came back. */
export class GuestExchange {
  readonly request: MiddlewareRequest
  features: number
  /** What the module answers, before the others do; what they answered, after. */
  #answer: MiddlewareResponse
  #isAfter = false
  readonly #requestReader: Reader
  #answerReader: Reader | undefined
  #requestWritten: Buffer[] | undefined
  #answerWritten: Buffer[] | undefined

  /** @param body the body of the request, where the module may read it */
  constructor(request: MiddlewareRequest, body: Uint8Array, features: number) {
    this.request = request
    this.features = features
    this.#answer = request.respond(200)
    this.#requestReader = new Reader(body)
  }

  /** @param body the body of the answer, where the module may read it */
  answered(response: MiddlewareResponse, body: Uint8Array | undefined): void {
    const own = this.names(1).map((name) => [name, this.values(1, name)] as const)
    this.#isAfter = true
    // What the module set before counts, unless those behind set it as well.
    for (const [name, values] of own)
      if (!response.fields.has(name)) for (const value of values) response.fields.append(name, value)
    if (this.#answerWritten !== undefined) {
      const written = Buffer.concat(this.#answerWritten)
      response.replaceBody(
        body === undefined ? following(written, response.body) : Buffer.concat([written, body]),
      )
      this.#answerWritten = undefined
    }
    this.#answer = response
    this.#answerReader = new Reader(body ?? new Uint8Array(0))
  }

  /** Puts what the module wrote into the request. */
  finishRequest(): void {
    if (this.#requestWritten !== undefined) this.request.replaceBody(Buffer.concat(this.#requestWritten))
  }

  /** The answer, with what the module wrote. */
  finish(): MiddlewareResponse {
    if (this.#answerWritten !== undefined) this.#answer.replaceBody(Buffer.concat(this.#answerWritten))
    return this.#answer
  }

  get status(): number {
    return this.#answer.status
  }

  set status(code: number) {
    this.#changeAnswer('the status')
    if (code < 200 || code > 599)
      throw new GuestError(`the module sets the status ${code}, which is none of an answer`)
    this.#answer.status = code
  }

  set method(method: string) {
    this.#changeRequest('the method')
    if (!token.test(method)) throw new GuestError('the module sets a method that is none')
    this.request.method = method
  }

  /** As host and port, which modules take apart; the port is not known. */
  get source(): string {
    const { remoteAddress } = this.request
    if (remoteAddress === '') return ''
    return remoteAddress.includes(':') ? `[${remoteAddress}]:0` : `${remoteAddress}:0`
  }

  get uri(): string {
    const { path, query } = this.request
    return query === '' ? path || '/' : `${path}?${query}`
  }

  set uri(uri: string) {
    this.#changeRequest('the address')
    if (uri !== '' && !/^\/[\x21-\x7e]*$/.test(uri))
      throw new GuestError('the module sets an address that is no escaped path with a query')
    const [path = '', ...query] = (uri === '' ? '/' : uri).split('?')
    this.request.path = path
    this.request.query = query.join('?')
  }

  names(kind: number): string[] {
    const fields = this.#fields(kind)
    if (fields === undefined) return []
    const iterator = fields[Symbol.iterator]()
    const names = new Set<string>()
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) names.add(next.value[0])
    if (kind === 0 && this.request.authority !== '') names.add('host')
    return [...names]
  }

  values(kind: number, name: string): readonly string[] {
    const values = this.#fields(kind)?.getAll(name.toLowerCase()) ?? []
    if (kind === 0 && values.length === 0 && name.toLowerCase() === 'host' && this.request.authority !== '')
      return [this.request.authority]
    return values
  }

  change(kind: number, name: string, how: 'set' | 'append' | 'delete', value = ''): void {
    if (kind === 0) this.#changeRequest('a field')
    else if (kind === 1) this.#changeAnswer('a field')
    else throw new GuestError('the module changes trailers, which is not supported')
    if (!token.test(name)) throw new GuestError('the module sets a field with a name that is none')
    if (unfit.test(value))
      throw new GuestError(`the module sets the field ${name} to a value that cannot be one`)
    const fields = this.#fields(kind)!
    if (how === 'delete') fields.delete(name.toLowerCase())
    else fields[how](name.toLowerCase(), value)
  }

  read(kind: number, target: Uint8Array): bigint {
    if (target.length === 0) throw new GuestError('the module reads a body without room for it')
    if (kind === 0) {
      if (this.#isAfter && (this.features & feature.bufferRequest) === 0)
        throw new GuestError('the module reads the body of a request that went on, without buffering it')
      return this.#requestReader.read(target)
    }
    if (kind !== 1) throw new GuestError(`the module reads a body of the kind ${kind}`)
    if (!this.#isAfter) return 1n << 32n
    this.#changeAnswer('the body')
    return this.#answerReader!.read(target)
  }

  write(kind: number, bytes: Uint8Array): void {
    const copy = Buffer.from(bytes)
    if (kind === 0) {
      this.#changeRequest('the body')
      ;(this.#requestWritten ??= []).push(copy)
    } else if (kind === 1) {
      this.#changeAnswer('the body')
      ;(this.#answerWritten ??= []).push(copy)
    } else throw new GuestError(`the module writes a body of the kind ${kind}`)
  }

  /** Trailers are not supported: they are empty. */
  #fields(kind: number): MiddlewareFields | undefined {
    if (kind === 0) return this.request.fields
    if (kind === 1) return this.#answer.fields
    if (kind === 2 || kind === 3) return undefined
    throw new GuestError(`the module asks for fields of the kind ${kind}`)
  }

  #changeRequest(what: string): void {
    if (this.#isAfter) throw new GuestError(`the module changes ${what} of a request that went on`)
  }

  #changeAnswer(what: string): void {
    if (this.#isAfter && (this.features & feature.bufferResponse) === 0)
      throw new GuestError(`the module changes ${what} of an answer without buffering it`)
  }
}
