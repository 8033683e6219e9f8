import { ComponentError, isComponentError, type ComponentErrorCode, type Metadata } from '@outrigger/spec'

const unreachable =
  /^(?:E(?:CONN|PIPE|TIMEDOUT|HOST|NET|AI_|NOTFOUND|ADDR)|ERR_STREAM_PREMATURE_CLOSE|ERR_SOCKET|ENOTFOUND)/

/** What a failed exchange means. The URL's path and query are not in the message, as they may hold secrets. */
export function networkError(error: unknown, url: URL): ComponentError {
  if (isComponentError(error)) return error
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
  if (/^Z_|^ERR_ZLIB/.test(code)) {
    return new ComponentError(
      'INTERNAL',
      `${url.origin} sent an answer that is not gzip as it says (${code})`,
      { cause: error },
    )
  }
  if (code.startsWith('HPE_')) {
    return new ComponentError('INTERNAL', `${url.origin} sent an answer that is not HTTP (${code})`, {
      cause: error,
    })
  }
  const kind: ComponentErrorCode = unreachable.test(code) ? 'UNAVAILABLE' : 'FAILED_PRECONDITION'
  return new ComponentError(kind, `the request to ${url.origin} failed (${code})`, { cause: error })
}

/** The error of a status that is not 2xx, with what came beside it. */
export function statusError(status: number, metadata: Metadata): ComponentError {
  return new ComponentError(codeOf(status), `received status code ${status}`, { metadata })
}

function codeOf(status: number): ComponentErrorCode {
  switch (status) {
    case 400:
    case 422:
      return 'INVALID_ARGUMENT'
    case 401:
      return 'UNAUTHENTICATED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
    case 410:
      return 'NOT_FOUND'
    case 408:
    case 504:
      return 'DEADLINE_EXCEEDED'
    case 429:
      return 'RESOURCE_EXHAUSTED'
    case 501:
      return 'UNSUPPORTED'
    case 502:
    case 503:
      return 'UNAVAILABLE'
    default:
      return status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION'
  }
}
