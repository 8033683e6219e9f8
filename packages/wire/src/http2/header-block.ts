import {
  AUTHORITY,
  CONNECTION_SPECIFIC,
  CONTENT_LENGTH,
  COOKIE,
  HOST,
  INVALID,
  METHOD,
  PADDED,
  PATH,
  PLAIN,
  PROTOCOL,
  SCHEME,
  STATUS,
  TE,
  unpadded,
} from './hpack/field-kind.ts'
import type { FieldSink } from './hpack/decoder.ts'

/** Cost of a field beside its name and value (RFC 9113, section 6.5.2). */
const overhead = 32

/**
 * The fields of one header section, checked as they are decoded (RFC 9113, section 8.2). One object serves a
 * whole connection; `fields` is new for each block and may be kept.
 */
export class HeaderBlock implements FieldSink {
  method: string | undefined
  scheme: string | undefined
  authority: string | undefined
  path: string | undefined
  protocol: string | undefined
  status: string | undefined
  host: string | undefined
  /** The announced length of the body, -1 when there is none. */
  contentLength = -1
  fields: string[] = []
  /** Why the section is malformed; a stream error. */
  problem: string | undefined
  /** More than is allowed: its fields are incomplete. */
  tooLarge = false
  private size = 0
  private cookieAt = -1
  private readonly maxBytes: number
  private readonly maxFields: number

  constructor(maxBytes: number, maxFields: number) {
    this.maxBytes = maxBytes
    this.maxFields = maxFields
  }

  reset(): void {
    this.method = this.scheme = this.authority = this.path = undefined
    this.protocol = this.status = this.host = this.problem = undefined
    this.contentLength = this.cookieAt = -1
    this.fields = []
    this.tooLarge = false
    this.size = 0
  }

  /** Whether there are pseudo-header fields: never in trailers. */
  get hasPseudo(): boolean {
    return (
      this.method !== undefined ||
      this.scheme !== undefined ||
      this.authority !== undefined ||
      this.path !== undefined ||
      this.protocol !== undefined ||
      this.status !== undefined
    )
  }

  field(name: string, value: string, kind: number): void {
    this.size += name.length + value.length
    if (this.size > this.maxBytes + overhead || this.fields.length >= this.maxFields * 2) {
      // Nothing more is kept, but the rest is still decoded: the table must stay as the peer has it.
      this.tooLarge = true
      return
    }
    if (kind === PLAIN) this.fields.push(name, value)
    else if (kind <= PROTOCOL) this.pseudo(name, value, kind)
    else this.special(name, value, kind)
  }

  private pseudo(name: string, value: string, kind: number): void {
    if (this.fields.length > 0) this.problem ??= `${name} comes behind other fields`
    let before: string | undefined
    switch (kind) {
      case METHOD:
        before = this.method
        this.method = value
        break
      case SCHEME:
        before = this.scheme
        this.scheme = value
        break
      case AUTHORITY:
        before = this.authority
        this.authority = value
        break
      case PATH:
        before = this.path
        this.path = value
        break
      case STATUS:
        before = this.status
        this.status = value
        break
      default:
        before = this.protocol
        this.protocol = value
    }
    if (before !== undefined) this.problem ??= `${name} comes twice`
  }

  private special(name: string, value: string, kind: number): void {
    switch (kind) {
      case CONTENT_LENGTH: {
        const length = /^[0-9]{1,15}$/.test(value) ? Number(value) : -1
        if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length)) {
          this.problem ??= 'the content-length is not valid'
        }
        // The same length twice counts once.
        if (this.contentLength >= 0) return
        this.contentLength = length
        break
      }
      case TE:
        if (value !== 'trailers') this.problem ??= 'te may only be "trailers"'
        break
      case COOKIE:
        // RFC 9113, section 8.2.3: joined before anybody sees them.
        if (this.cookieAt >= 0) {
          this.fields[this.cookieAt] += `; ${value}`
          return
        }
        this.cookieAt = this.fields.length + 1
        break
      case HOST:
        if (this.host !== undefined) this.problem ??= 'host comes twice'
        this.host = value
        break
      case CONNECTION_SPECIFIC:
        this.problem ??= `${name} is not allowed in HTTP/2`
        break
      case INVALID:
        this.problem ??= 'a field has a character that is not allowed'
        break
      case PADDED:
        // Libraries of gRPC send them, whose specification lets the other side take them off.
        value = unpadded(value)
        break
      default:
        this.problem ??= 'there is an unknown pseudo-header field'
    }
    this.fields.push(name, value)
  }
}

/** Why this is no request (RFC 9113, section 8.3.1). */
export function requestProblem(block: HeaderBlock): string | undefined {
  if (block.problem !== undefined) return block.problem
  if (block.status !== undefined) return ':status in a request'
  // Extended CONNECT (RFC 8441) is not offered.
  if (block.protocol !== undefined) return ':protocol was not offered'
  const { method, path } = block
  if (method === undefined || !isMethod(method)) return ':method is missing or not valid'
  if (method === 'CONNECT') {
    const rest = path !== undefined || block.scheme !== undefined || !block.authority
    return rest ? 'CONNECT must have :authority and nothing else' : undefined
  }
  if (block.scheme === undefined || block.scheme === '') return ':scheme is missing'
  if (path === undefined || !isPath(path, method)) return ':path is missing or not valid'
  const { authority, host } = block
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    return 'host and :authority differ'
  }
  const named = authority ?? host
  if (named !== undefined && !isAuthority(named)) return 'the authority is not valid'
  return undefined
}

/** Why this is no response (RFC 9113, section 8.3.2). */
export function responseProblem(block: HeaderBlock): string | undefined {
  if (block.problem !== undefined) return block.problem
  const { method, scheme, authority, path, protocol } = block
  if ((method ?? scheme ?? authority ?? path ?? protocol) !== undefined) {
    return 'a response has a pseudo-header field of requests'
  }
  if (block.status === undefined || !/^[1-9][0-9][0-9]$/.test(block.status)) {
    return ':status is missing or not valid'
  }
  // RFC 9113, section 8.6.
  return block.status === '101' ? 'the status 101 is not allowed in HTTP/2' : undefined
}

const methods: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'PATCH',
  'OPTIONS',
  'CONNECT',
])

function isMethod(method: string): boolean {
  return methods.has(method) || /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)
}

function isPath(path: string, method: string): boolean {
  if (path.charCodeAt(0) !== 47) return path === '*' && method === 'OPTIONS'
  // Whoever passes it on in HTTP/1.1 must be able to: no space, no control character, no fragment.
  for (let index = 1; index < path.length; index++) {
    const char = path.charCodeAt(index)
    if (char <= 0x20 || char === 0x23 || char === 0x7f) return false
  }
  return true
}

/** No user information (section 8.3.1), and nothing that would end it. */
function isAuthority(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index)
    if (char <= 0x20 || char >= 0x7f || char === 0x40 || char === 0x2f || char === 0x23 || char === 0x3f) {
      return false
    }
  }
  return true
}
