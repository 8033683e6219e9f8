import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Callback = (request: IncomingMessage, response: ServerResponse) => void

export interface OidcClient {
  readonly client_id: string
  readonly client_secret: string
  readonly redirect_uris?: readonly string[]
  readonly grant_types: readonly string[]
  readonly response_types?: readonly string[]
  readonly token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post'
}

/** A running OpenID provider. */
export interface OidcProvider {
  readonly issuer: string
  /** Paths of the requests that came, in order. */
  readonly requests: readonly string[]
  /** What is answered instead of the provider, while it is set. */
  broken: number | undefined
  /** Goes on with a new signing key; the former one is gone. */
  rotate(): Promise<void>
  stop(): Promise<void>
}

/** Access tokens are JWTs for this audience. */
export const oidcAudience = 'https://api.test'

/**
 * An OpenID provider with logins and consent as a user meets them: any name and password are right. It lives in
 * this process and listens on loopback.
 */
export async function startOidcProvider(
  clients: readonly OidcClient[],
  { accessTokenSeconds = 3600 } = {},
): Promise<OidcProvider> {
  let callback: Callback | undefined
  const requests: string[] = []
  const state = { broken: undefined as number | undefined }
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    if (state.broken !== undefined) response.writeHead(state.broken).end('broken')
    else callback!(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  async function renew(): Promise<void> {
    callback = await providerFor(issuer, clients, accessTokenSeconds)
  }
  await renew()
  return Object.assign(state, {
    issuer,
    requests,
    rotate: renew,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

let keys = 0

async function providerFor(
  issuer: string,
  clients: readonly OidcClient[],
  seconds: number,
): Promise<Callback> {
  // It has no types of its own.
  const { Provider } = (await import('oidc-provider' as string)) as {
    Provider: new (
      issuer: string,
      options: object,
    ) => { callback(): Callback; on(event: string, listener: () => void): void }
  }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(issuer, {
    clients,
    jwks: {
      keys: [{ ...privateKey.export({ format: 'jwk' }), kid: `key-${++keys}`, alg: 'RS256', use: 'sig' }],
    },
    cookies: { keys: ['of tests alone'] },
    scopes: ['openid', 'email', 'read', 'write'],
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ttl: {
      AccessToken: seconds,
      ClientCredentials: seconds,
      Session: 3600,
      Grant: 3600,
      Interaction: 600,
      IdToken: 600,
    },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => oidcAudience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'read write',
          audience: oidcAudience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: seconds,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  return provider.callback()
}
