import { ComponentError, isComponentError, type ComponentErrorCode } from '@outrigger/spec'

/** First words of the server's error replies, and what they mean. */
const replies: Readonly<Record<string, ComponentErrorCode>> = {
  WRONGPASS: 'UNAUTHENTICATED',
  NOAUTH: 'UNAUTHENTICATED',
  NOPERM: 'PERMISSION_DENIED',
  OOM: 'RESOURCE_EXHAUSTED',
  READONLY: 'UNAVAILABLE',
  LOADING: 'UNAVAILABLE',
  BUSY: 'UNAVAILABLE',
  CLUSTERDOWN: 'UNAVAILABLE',
  MASTERDOWN: 'UNAVAILABLE',
  TRYAGAIN: 'UNAVAILABLE',
  NOREPLICAS: 'UNAVAILABLE',
  MISCONF: 'UNAVAILABLE',
  WRONGTYPE: 'FAILED_PRECONDITION',
  CROSSSLOT: 'UNSUPPORTED',
  NOGROUP: 'NOT_FOUND',
  UNBLOCKED: 'NOT_FOUND',
  BUSYGROUP: 'ALREADY_EXISTS',
}

const texts: readonly (readonly [RegExp, ComponentErrorCode])[] = [
  [/^ERR invalid password/i, 'UNAUTHENTICATED'],
  [/^ERR unknown (sub)?command/i, 'UNSUPPORTED'],
  [/^ERR max number of clients/i, 'RESOURCE_EXHAUSTED'],
  [/^ERR DB index/i, 'INVALID_METADATA'],
]

/** Replies with which the server refused a request that it has not begun: repeating it is safe. */
const refusals = new Set([
  'READONLY',
  'LOADING',
  'BUSY',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'TRYAGAIN',
  'NOREPLICAS',
])

const tlsCode =
  /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_OSSL)/

interface Raw {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
}

/** The first word of a server's error reply, `undefined` when the error is none. */
export function replyCode(error: unknown): string | undefined {
  const { name, message } = (error ?? {}) as Raw
  if (name !== 'ReplyError' || typeof message !== 'string') return undefined
  // Before Redis 7 the error of a command within a script is wrapped in one of the script.
  return (/^ERR Error running script.*? -([A-Z]+) /.exec(message) ?? /^([A-Z]+)/.exec(message))?.[1]
}

/** Whether the server or the client turned the request away before anything happened. */
export function wasRefused(error: unknown): boolean {
  const code = replyCode(error)
  if (code !== undefined) return refusals.has(code)
  const { message } = (error ?? {}) as Raw
  return typeof message === 'string' && /enableOfflineQueue options is false/.test(message)
}

/** Whether trying to connect again cannot help: credentials, certificates, the number of the database. */
export function isFinalConnectError(error: unknown): boolean {
  const { name, code } = (error ?? {}) as Raw
  if (typeof code === 'string' && tlsCode.test(code)) return true
  return name === 'ReplyError' && !wasRefused(error)
}

/**
 * Turns what the client library throws into a ComponentError.
 * @param where `host:port`, for messages
 */
export function toComponentError(error: unknown, where: string): ComponentError {
  if (isComponentError(error)) return error as ComponentError
  const { message: raw, code } = (error ?? {}) as Raw
  const message =
    typeof raw === 'string' ? raw.replace(/,? with args beginning with.*$/is, '') : 'unknown error'
  const cause = bare(error, message)
  const word = replyCode(error)
  if (word !== undefined) {
    const known = replies[word] ?? texts.find(([pattern]) => pattern.test(message))?.[1] ?? 'INTERNAL'
    return new ComponentError(known, `redis at ${where}: ${message}`, { cause })
  }
  if (typeof code === 'string' && tlsCode.test(code)) {
    const hint =
      code === 'EPROTO' || code.startsWith('ERR_SSL') ? ' (does the server speak TLS on this port?)' : ''
    return new ComponentError('UNAVAILABLE', `redis at ${where}: TLS failed: ${message}${hint}`, {
      cause,
      retryable: false,
    })
  }
  return new ComponentError('UNAVAILABLE', `redis at ${where}: ${plain(message, code)}`, { cause })
}

/** The library hangs the whole command on its errors, arguments included: values and passwords do not belong in a log. */
function bare(error: unknown, message: string): unknown {
  if (!(error instanceof Error)) return undefined
  const copy = new Error(message)
  copy.name = error.name
  if (error.stack !== undefined) copy.stack = error.stack.replace(/,? with args beginning with[^\n]*/gi, '')
  return copy
}

function plain(message: string, code: unknown): string {
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host cannot be resolved (${code})`
  if (code === 'ETIMEDOUT') return 'no connection within dialTimeout'
  if (code === 'ECONNRESET' || code === 'EPIPE') return `the connection was lost (${code})`
  if (/^Connection is closed|max retries per request|Command aborted/.test(message))
    return 'the connection was lost'
  if (message.startsWith('Socket timeout')) return 'no answer within readTimeout'
  if (message.includes('enableOfflineQueue')) return 'there is no connection'
  return message
}
