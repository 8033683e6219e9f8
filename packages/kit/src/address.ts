import { isIP } from 'node:net'

/** What a text such as `host:port` says. */
export interface HostPort {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string
  readonly port?: number | undefined
}

// Underscores are no part of host names, but DNS has them and people use them.
const hostName =
  /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i

/** Reads `host`, `host:port`, `[::1]` and `[::1]:port`. `undefined` when it is none of them. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text.trim())
  if (match === null) return undefined
  const [, address, name, digits] = match
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  if (address !== undefined) return isIP(address) === 6 ? { host: address, port } : undefined
  return isIP(name!) === 4 || hostName.test(name!) ? { host: name!, port } : undefined
}

/** `host:port`, with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
