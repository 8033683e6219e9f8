import type { X509Certificate } from 'node:crypto'

/** Who a process is: `spiffe://<trust domain>/ns/<namespace>/<app id>`. */
export interface SpiffeId {
  readonly trustDomain: string
  readonly namespace: string
  readonly appId: string
  /** The whole of it, as it is written in certificates. */
  readonly uri: string
}

/** Longest name that a certificate of an application is issued for; as in Dapr. */
export const longestAppId = 64

const scheme = 'spiffe://'
const longestUri = 2048
// SPIFFE-ID, sections 2.1 and 2.2.
const domainPattern = /^[a-z0-9._-]{1,255}$/
const segmentPattern = /^[A-Za-z0-9._-]+$/

export function isTrustDomain(text: string): boolean {
  return domainPattern.test(text)
}

/** Whether this can be a namespace or an app id in an identity. */
export function isSegment(text: string): boolean {
  return segmentPattern.test(text) && text !== '.' && text !== '..'
}

/** @throws Error that names the part that cannot be in an identity */
export function spiffeId(trustDomain: string, namespace: string, appId: string): SpiffeId {
  if (!isTrustDomain(trustDomain)) {
    throw new Error(
      `the trust domain ${shown(trustDomain)} is not made of lower-case letters, digits, dots, dashes and underscores`,
    )
  }
  for (const [name, text] of [
    ['namespace', namespace],
    ['app id', appId],
  ] as const) {
    if (isSegment(text)) continue
    throw new Error(
      `the ${name} ${shown(text)} is not made of letters, digits, dots, dashes and underscores, as an identity needs it`,
    )
  }
  const uri = `${scheme}${trustDomain}/ns/${namespace}/${appId}`
  if (uri.length > longestUri) throw new Error(`the identity is longer than ${longestUri} characters`)
  return { trustDomain, namespace, appId, uri }
}

/** @returns `undefined` when it is no identity of this form */
export function parseSpiffeId(uri: string): SpiffeId | undefined {
  if (!uri.startsWith(scheme) || uri.length > longestUri) return undefined
  const [trustDomain = '', ns, namespace = '', appId = '', ...rest] = uri.slice(scheme.length).split('/')
  if (ns !== 'ns' || rest.length > 0) return undefined
  if (!isTrustDomain(trustDomain) || !isSegment(namespace) || !isSegment(appId)) return undefined
  return { trustDomain, namespace, appId, uri }
}

/** One name of a certificate, as Node.js writes them: `DNS:a, URI:spiffe://...`, in quotes where that is needed. */
const namePattern = /([A-Za-z][\w ]*):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y

/**
 * The identity in a certificate: its only URI, as X509-SVID wants it. Whether the certificate is genuine has been
 * decided before.
 * @returns `undefined` when there is none, or more than one
 */
export function spiffeIdOf(certificate: Pick<X509Certificate, 'subjectAltName'>): SpiffeId | undefined {
  const names = certificate.subjectAltName
  if (names === undefined) return undefined
  const uris: string[] = []
  namePattern.lastIndex = 0
  while (namePattern.lastIndex < names.length) {
    const match = namePattern.exec(names)
    if (match === null) return undefined
    if (match[1] === 'URI') uris.push(match[2]!)
  }
  return uris.length === 1 ? parseSpiffeId(uris[0]!) : undefined
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
