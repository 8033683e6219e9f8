import { createServer, type Handler, type Server, type ServerRequest } from '@outrigger/wire'
import type { OidcOptions } from '../config/options.ts'
import type { TokenKeys } from '../tokens/keys.ts'

const json = ['content-type', 'application/json', 'cache-control', 'public, max-age=3600']

export interface OidcServerOptions extends Omit<OidcOptions, 'tls' | 'listen'> {
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly issuer: string | undefined
  /** May be others at each call. */
  readonly keys: () => TokenKeys
}

/** Shows the keys of the tokens, and says in the way of OpenID Connect where they are. */
export function oidcServer(options: OidcServerOptions): Server {
  const { pathPrefix, allowedHosts, tls, keys } = options
  const keysPath = `${pathPrefix}/jwks.json`
  const discoveryPath = `${pathPrefix}/.well-known/openid-configuration`
  const handler: Handler = (request, response) => {
    if (request.path !== keysPath && request.path !== discoveryPath) return response.send(404)
    const host = allowedHost(request, allowedHosts)
    if (host === undefined)
      return response.send(403, ['content-type', 'text/plain'], 'this host is not allowed')
    if (request.method !== 'GET') return response.send(405, ['allow', 'GET'])
    if (request.path === keysPath) return response.send(200, json, JSON.stringify(keys().keySet))
    const base = `${tls === undefined ? 'http' : 'https'}://${host}`
    if (options.issuer === undefined && !URL.canParse(base)) return response.send(400)
    const issuer = options.issuer ?? base
    return response.send(
      200,
      json,
      JSON.stringify({
        issuer,
        jwks_uri: options.keySetUri ?? keysUri(issuer, base, keysPath),
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [keys().algorithm],
        scopes_supported: ['openid'],
        claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'use'],
      }),
    )
  }
  return createServer(
    { maxBodyBytes: 64 * 1024, maxConnections: 1000, ...(tls === undefined ? {} : { tls }) },
    handler,
  )
}

/** Below the issuer where that is a URL. */
function keysUri(issuer: string, base: string, path: string): string {
  return new URL(path, URL.canParse(issuer) ? issuer : base).href
}

/**
 * The host that was asked for. What a proxy says it was counts only where the allowed ones are named: anybody could
 * say it.
 */
function allowedHost({ authority, fields }: ServerRequest, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0 || allowed.includes('*')) return authority
  const host = fields.get('x-forwarded-host') ?? authority
  return allowed.includes(host) ? host : undefined
}
