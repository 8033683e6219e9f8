import { hostname, networkInterfaces } from 'node:os'

const firstPort = 47_300
const lastPort = 65_535

/**
 * The port for other sidecars where none is asked for: the same for this application, folder, user and machine each
 * time, so that what others remember stays right when a sidecar is started anew.
 */
export function stablePort(appId: string, folder: string): number {
  const text = [appId, folder, String(process.getuid?.() ?? -1), hostname()].join('|')
  return firstPort + (hashOf(text) % (lastPort - firstPort))
}

/** FNV-1a: loading what computes better ones costs a start 2 MiB. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** The address under which other machines reach this one: the first that is neither loopback nor link-local. */
export function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const reachable = all.filter(
    ({ internal, address }) => !internal && !/^(?:169\.254\.|fe80:)/i.test(address),
  )
  const best = reachable.find(({ family }) => family === 'IPv4') ?? reachable[0]
  return best?.address ?? '127.0.0.1'
}

/** `x-forwarded-for` and what belongs to it: names and values in turn. */
export function forwardedFields(host: string): readonly string[] {
  const quoted = host.includes(':') ? `"[${host}]"` : host
  const name = hostname()
  return [
    'X-Forwarded-For',
    host,
    'X-Forwarded-Host',
    name,
    'Forwarded',
    `for=${quoted};by=${quoted};host=${name}`,
  ]
}
