import { WireError } from '../error.ts'
import { toFlat } from '../fields.ts'
import type { Origin } from '../origin.ts'
import type { ClientRequest } from '../types.ts'
import { byteLength } from './output.ts'
import { isFraming, isToken, writeField } from './write-fields.ts'

/** Methods that say nothing about a body when they have none (RFC 9110, section 8.6). */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

/** The head of a request as it is sent; throws when something in it cannot be sent. */
export function writeRequestHead(request: ClientRequest, origin: Origin): string {
  const { method = 'GET', path = '/', body } = request
  if (!isToken(method)) throw new WireError('PROTOCOL', `the method ${JSON.stringify(method)} is malformed`)
  // CONNECT asks for a tunnel, which this interface cannot express.
  if (method === 'CONNECT') throw new WireError('PROTOCOL', 'the method CONNECT is not supported')
  if (!isTarget(path, method))
    throw new WireError('PROTOCOL', `the path ${JSON.stringify(path)} is malformed`)
  let fields = ''
  let host = false
  const given = toFlat(request.fields)
  for (let index = 0; index < given.length; index += 2) {
    const name = given[index]!
    if (isFraming(name, false)) continue
    if (name.length === 4 && name.toLowerCase() === 'host') {
      if (host) throw new WireError('PROTOCOL', 'a request has one host')
      host = true
    }
    fields += writeField(name, given[index + 1]!)
  }
  if (isWhole(body)) fields += `content-length: ${byteLength(body)}\r\n`
  else if (body !== undefined && request.bodyLength !== undefined)
    fields += `content-length: ${request.bodyLength}\r\n`
  else if (body !== undefined) fields += 'transfer-encoding: chunked\r\n'
  else if (!bodiless.has(method)) fields += 'content-length: 0\r\n'
  return `${method} ${path} HTTP/1.1\r\n${host ? '' : `host: ${origin.authority}\r\n`}${fields}\r\n`
}

export function isWhole(body: ClientRequest['body']): body is Uint8Array | string {
  return typeof body === 'string' || body instanceof Uint8Array
}

/** Path and query, or `*` of OPTIONS (RFC 9112, section 3.2). */
function isTarget(path: string, method: string): boolean {
  return /^\/[!-"$-~]*$/.test(path) || (path === '*' && method === 'OPTIONS')
}
