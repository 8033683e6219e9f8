import type { X509Certificate } from 'node:crypto'
import { WireError } from '../error.ts'
import { Fields } from '../fields.ts'
import type { ServerRequest, Upgrade } from '../types.ts'
import { splitFields } from './field-section.ts'
import { IncomingBody } from './incoming-body.ts'
import type { RequestHead } from './request-head.ts'
import type { ServerConnection } from './server-connection.ts'

export class IncomingRequest implements ServerRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly authority: string
  /** Minor version of HTTP/1. */
  readonly minor: number
  readonly keepAlive: boolean
  /** The client waits for `100 Continue` before it sends the body. */
  awaitsContinue: boolean
  /** `undefined` as long as nobody asked for the empty one. */
  arriving: IncomingBody | undefined
  private readonly connection: ServerConnection
  private readonly text: string
  private readonly fieldsAt: number
  private ownFields: Fields | undefined
  private trailerList: string[] | undefined
  private ownTrailers: Fields | undefined
  private abort: AbortController | undefined
  private lost = false

  constructor(connection: ServerConnection, head: RequestHead) {
    this.connection = connection
    this.method = head.method
    this.authority = head.authority
    this.minor = head.minor
    this.keepAlive = head.keepAlive
    this.text = head.text
    this.fieldsAt = head.fieldsAt
    const { target } = head
    const mark = target.indexOf('?')
    this.path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    const length = head.chunked ? undefined : Math.max(0, head.contentLength)
    this.awaitsContinue = head.expectsContinue && length !== 0
    this.arriving =
      length === 0 ? undefined : new IncomingBody(connection, length, connection.rules.maxBodyBytes)
  }

  get scheme(): 'http' | 'https' {
    return this.connection.secure ? 'https' : 'http'
  }

  get fields(): Fields {
    return (this.ownFields ??= new Fields(splitFields(this.text, this.fieldsAt)))
  }

  get body(): IncomingBody {
    return (this.arriving ??= new IncomingBody(this.connection, 0, this.connection.rules.maxBodyBytes))
  }

  get trailers(): Fields | undefined {
    if (this.trailerList === undefined) return undefined
    return (this.ownTrailers ??= new Fields(this.trailerList))
  }

  get remoteAddress(): string {
    return this.connection.socket.remoteAddress ?? ''
  }

  get peerCertificate(): X509Certificate | undefined {
    return this.connection.peerCertificate
  }

  get upgrade(): Upgrade | undefined {
    // Behind a body the other protocol would begin in the middle of it, and HTTP/1.0 knows no such thing.
    if (
      this.minor === 0 ||
      this.arriving !== undefined ||
      !listed(this.fields.getAll('connection'), 'upgrade')
    )
      return undefined
    const protocols = words(this.fields.getAll('upgrade'))
    if (protocols.length === 0) return undefined
    return {
      protocols,
      accept: (protocol, fields) => this.connection.switchTo(this, protocol, protocols, fields),
    }
  }

  get signal(): AbortSignal {
    if (this.abort === undefined) {
      this.abort = new AbortController()
      if (this.lost) this.abort.abort(clientGone())
    }
    return this.abort.signal
  }

  bodyEnded(trailers: string[] | undefined): void {
    this.trailerList = trailers
    this.arriving?.end()
  }

  /** The client has gone before the response was complete. */
  lose(): void {
    this.lost = true
    this.abort?.abort(clientGone())
  }
}

function words(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).flatMap((word) => word.trim() || [])
}

function listed(values: readonly string[], word: string): boolean {
  return words(values).some((found) => found.toLowerCase() === word)
}

export function clientGone(): WireError {
  return new WireError('ABORTED', 'the client went away')
}
