import { WireError } from './error.ts'

/** Where to connect to. */
export interface Origin {
  readonly secure: boolean
  /** Value of `Host`. */
  readonly authority: string
  readonly options: { readonly socketPath: string } | { readonly host: string; readonly port: number }
}

/** Parses `http://host:port`, `https://host:port` or `unix:/path`. */
export function parseOrigin(text: string): Origin {
  if (text.startsWith('unix:')) {
    const socketPath = text.slice('unix:'.length)
    if (socketPath === '') throw new WireError('PROTOCOL', 'the origin "unix:" names no socket')
    return { secure: false, authority: 'localhost', options: { socketPath } }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new WireError(
      'PROTOCOL',
      `the origin ${JSON.stringify(withoutPassword(text))} is not http://, https:// or unix:`,
    )
  }
  if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new WireError('PROTOCOL', `the origin of ${url.host} must be scheme, host and port only`)
  }
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  // URL writes IPv6 addresses in brackets, sockets want them without.
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  return { secure, authority: url.host, options: { host, port } }
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//***@')
}
