import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Fields, FieldsInit } from './fields.ts'

/** The body of a request or response as it arrives. It can be consumed once: whole, or chunk by chunk. */
export interface Body extends AsyncIterable<Uint8Array> {
  /** The length that the peer announced; `undefined` when it is not known before the end. */
  readonly length: number | undefined
  /** Most bytes that will be read, by `bytes()` and by iteration; may be changed before reading. */
  limit: number
  /**
   * How long it may pause while it is read; 0: for ever. On HTTP/2 it may be changed before reading, for streams
   * that have nothing to say for hours.
   */
  idleTimeoutMs?: number
  /**
   * The whole body. Rejects with a `WireError`: `TOO_LARGE` past `limit` (default: the limit of the body),
   * `RESET` when the peer went away in the middle, `TIMEOUT` when it stopped sending.
   */
  bytes(limit?: number): Promise<Uint8Array>
  /** The rest is not wanted: frees the connection for the next request, or closes it. */
  cancel(): void
}

/** A connection that was handed over: nothing of wire stands between it and its peer any more. */
export interface HandedOver {
  /** Not flowing yet: it does when somebody listens for its data, or reads it. */
  readonly socket: Socket
  /** What the client sent behind its request. It comes first. */
  readonly head: Uint8Array
}

/** The client would like to go on with another protocol on this connection (RFC 9110, section 7.8). */
export interface Upgrade {
  /** As the client names them, in its order: `websocket`. */
  readonly protocols: readonly string[]
  /**
   * Answers 101 and hands the connection over, instead of any other answer. It counts as a running request
   * until the socket closes.
   * @throws WireError `PROTOCOL` for a protocol that the client did not name, or behind another answer
   */
  accept(protocol: string, fields?: FieldsInit): Promise<HandedOver>
}

/** A request as a server receives it. */
export interface ServerRequest {
  readonly method: string
  /** The path as it was sent: escaped, without query. */
  readonly path: string
  /** The query as it was sent, without `?`; empty when there is none. */
  readonly query: string
  readonly scheme: 'http' | 'https'
  /** The authority the client asked for (`Host`, `:authority`); empty when it named none. */
  readonly authority: string
  readonly fields: Fields
  readonly body: Body
  /** Fields after the body; `undefined` until the body has ended, or when there are none. */
  readonly trailers: Fields | undefined
  /** Address of the peer; empty on a Unix socket. */
  readonly remoteAddress: string
  /** What the client shows in mutual TLS: verified, where the server demands one. */
  readonly peerCertificate?: X509Certificate | undefined
  /** Only where the connection can be handed over: HTTP/1.1, and no body. Who ignores it answers as ever. */
  readonly upgrade?: Upgrade | undefined
  /** Aborts when the client goes away before the response is complete. */
  readonly signal: AbortSignal
}

/** Sends a response body in pieces. */
export interface BodyWriter {
  /**
   * Sends a chunk. Returns a promise only when the caller must wait before the next one; it rejects with
   * `ABORTED` when the client has gone.
   */
  write(chunk: Uint8Array | string): Promise<void> | undefined
  /** Completes the response. */
  end(trailers?: FieldsInit): void
  /** Breaks the response off so that the client sees it is incomplete. */
  abort(): void
}

/** The answer to a request: either `send` or `start`, once. */
export interface ServerResponse {
  /** Whether status and fields are decided; nothing but the body can follow. */
  readonly started: boolean
  /**
   * Sends a complete response in one write, with its length. Framing fields (`content-length`, `connection`,
   * `transfer-encoding`, ...) belong to wire: those in `fields` are left out, except the length of an answer to HEAD.
   */
  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void
  /** Begins a response whose body follows in pieces. A `content-length` in `fields` is kept. */
  start(status: number, fields?: FieldsInit): BodyWriter
  /** Cuts the connection (HTTP/2: the stream) without an answer. */
  abort(): void
}

/**
 * Answers one request. May return before the answer is sent as long as it is synchronous; an asynchronous
 * handler must have answered when its promise settles. What it throws goes to `onError`.
 */
export type Handler = (request: ServerRequest, response: ServerResponse) => void | Promise<void>

export interface ServerLimits {
  /** Bytes of names and values of all header fields; more is answered with 431. Default 16 KiB. */
  readonly maxHeaderBytes?: number
  /** Number of header fields; more is answered with 431. Default 100. */
  readonly maxFields?: number
  /** Bytes of path and query; more is answered with 414. Default 8 KiB. */
  readonly maxTargetBytes?: number
  /** Initial `limit` of each request body. Default 4 MiB. */
  readonly maxBodyBytes?: number
  /** Open connections of each address; more are closed at once. Default: no limit. */
  readonly maxConnections?: number
  /** Time for a header section to arrive completely; then 408. Default 10 s. */
  readonly headerTimeoutMs?: number
  /** How long an idle connection is kept. Default 75 s. */
  readonly keepAliveTimeoutMs?: number
  /** How long a body may pause while it is being read. Default 30 s. */
  readonly bodyIdleTimeoutMs?: number
  /** How long a client may take nothing of an answer that waits for it. Default 60 s. */
  readonly writeIdleTimeoutMs?: number
  /**
   * HTTP/2: a client with requests under way from which nothing came for so long is asked whether it lives; 0: never.
   * Default 30 s. On HTTP/1.1 that is left to TCP.
   */
  readonly pingAfterMs?: number
  /** How long the answer to that may take before the connection is cut. Default 10 s. */
  readonly pingTimeoutMs?: number
}

/** Certificates in PEM. */
export interface TlsOptions {
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** Server: demand a certificate from the client and verify it against `ca`. */
  readonly requireClientCert?: boolean
  /** Client: name to verify instead of the host of the origin. */
  readonly serverName?: string
  /** Client: accept any certificate. Default false. */
  readonly insecure?: boolean
  /**
   * Client: decides by the certificate who the server is, instead of comparing names; `ca` still decides whether
   * it is genuine. `authority`: who was asked for, as `host:port`. Returns what is wrong with it.
   */
  readonly verifyServer?: (certificate: X509Certificate, authority: string) => Error | undefined
}

export interface ServerOptions extends ServerLimits {
  readonly tls?: TlsOptions
  /**
   * Protocols to offer on the same port, of which `h2` needs TLS (and ALPN) and `h2c` is without it, with prior
   * knowledge. Those that do not fit are ignored. Default: `http/1.1`.
   */
  readonly protocols?: readonly ('http/1.1' | 'h2' | 'h2c')[]
  /**
   * Told of every error a handler throws. It may answer itself as long as the response is not started;
   * otherwise the client gets a plain 500, or a broken response if one was under way.
   */
  readonly onError?: (error: unknown, request: ServerRequest, response: ServerResponse) => void
  /** Told why a client did not get through the handshake of TLS. */
  readonly onTlsFailure?: (reason: string, remoteAddress: string | undefined) => void
}

export type ListenAddress =
  | { readonly host?: string; readonly port: number }
  | { readonly path: string; readonly mode?: number }

/** Where a server listens: `port` is the real one when 0 was asked for. */
export type BoundAddress =
  | { readonly host: string; readonly port: number; readonly path?: undefined }
  | { readonly path: string; readonly host?: undefined; readonly port?: undefined }

export interface ServerStats {
  readonly connections: number
  readonly connectionsTotal: number
  readonly running: number
  readonly requestsTotal: number
  /** Requests refused before the handler: malformed, too large, too slow. */
  readonly refusedTotal: number
}

export interface Server {
  /** Starts listening; may be called for several addresses. Rejects with a `WireError` of code `LISTEN`. */
  listen(address: ListenAddress): Promise<BoundAddress>
  readonly addresses: readonly BoundAddress[]
  readonly stats: ServerStats
  /**
   * New connections get these certificates; those that stand keep theirs. Where clients must show a certificate and
   * an authority is not trusted any more, those that stand only finish what they have begun.
   * @throws WireError `PROTOCOL` for certificates that cannot be used, or without TLS: then nothing is changed
   */
  replaceTls(tls: Pick<TlsOptions, 'cert' | 'key' | 'ca'>): void
  /**
   * Stops accepting, lets running requests finish, closes idle connections; resolves when all are closed.
   * When `signal` aborts, what is left is cut. May be called twice.
   */
  close(signal?: AbortSignal): Promise<void>
}

export interface ClientTimeouts {
  /** Until the connection (with TLS) stands. Default 5 s. */
  readonly connectMs?: number
  /** From the connection to the header fields of the response. Default: none. */
  readonly headersMs?: number
  /** How long the response body may pause while it is being read. Default: none. */
  readonly bodyIdleMs?: number
}

export interface ClientOptions {
  /** Longest time an unused connection is kept; must be below the server's. Default 4 s. */
  readonly idleTimeoutMs?: number
  /** Open connections to one origin; further requests wait. Default: no limit. */
  readonly maxConnections?: number
  /** Unused connections kept for one origin. Default 256. */
  readonly maxIdleConnections?: number
  /** Bytes of the response's header section. Default 16 KiB. */
  readonly maxHeaderBytes?: number
  /** Initial `limit` of each response body. Default: none. */
  readonly maxBodyBytes?: number
  readonly timeouts?: ClientTimeouts
  readonly tls?: TlsOptions
}

export interface ClientRequest {
  /** Default GET. */
  readonly method?: string
  /** `http://host:port` or `https://host:port`; of a Unix socket `unix:/path/of.sock`. */
  readonly origin: string
  /** Path and query, escaped. Default `/`. */
  readonly path?: string
  /** `Host` is added from the origin when it is missing; framing fields are left out. */
  readonly fields?: FieldsInit
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>
  /**
   * Length of a body that is a stream, which is announced then. One that turns out otherwise breaks the request off
   * with `PROTOCOL`.
   */
  readonly bodyLength?: number
  /** `false`: the length of a body in one piece is not announced. Over HTTP/2 only. Default `true`. */
  readonly announceLength?: boolean
  /** Abandons the request and, until it has ended, the response body. */
  readonly signal?: AbortSignal
  /** Overrides those of the client. */
  readonly timeouts?: ClientTimeouts
}

export interface ClientResponse {
  readonly status: number
  readonly fields: Fields
  /** Must be read to the end or cancelled: until then it occupies its connection. */
  readonly body: Body
  /** Fields after the body; `undefined` until the body has ended, or when there are none. */
  readonly trailers: Fields | undefined
}

export interface Client {
  /**
   * Sends a request and resolves with the head of the response; any status is a response. Rejects with a
   * `WireError`. A request that met a kept connection the server had just closed is sent again on a new one
   * if nothing of it was sent, or if it is GET, HEAD or OPTIONS without a body.
   */
  request(request: ClientRequest): Promise<ClientResponse>
  readonly stats: { readonly connections: number; readonly idle: number; readonly running: number }
  /**
   * New connections are made with these. Those that stand are used as long as they live, over HTTP/2 they only
   * finish the calls that they have.
   * @throws WireError `PROTOCOL` for certificates that cannot be used: then nothing is changed
   */
  replaceTls(tls: TlsOptions): void
  /** Closes idle connections and cuts the others. */
  close(): void
}
