import type { KeyObject } from 'node:crypto'
import { readCertificates, validityOf, writeCertificates } from './certificates.ts'
import { createCertificateRequest } from './csr.ts'
import { spiffeIdOf, type SpiffeId } from './spiffe.ts'
import { readSentryToken, validators, type TokenOptions } from './token.ts'

/** What sentry has signed: who this process is, and how it proves that. */
export interface Identity {
  readonly id: SpiffeId
  /** PEM: the certificate and those between it and the root. */
  readonly chain: string
  /** PEM. Never in a log. */
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly expiresAt: number
  /** Tokens of the same identity by audience; empty when sentry issues none. Never in a log. */
  readonly jwts: ReadonlyMap<string, string>
  /** When the first of the tokens expires. */
  readonly jwtsExpireAt: number | undefined
}

/** Who asks whom. */
export interface SigningRequest extends TokenOptions {
  /** `host:port`. */
  readonly address: string
  /** Whom the server must prove to be. */
  readonly sentryId: SpiffeId
  readonly appId: string
  readonly namespace: string
  /** Asked for; without it sentry decides. */
  readonly trustDomain?: string | undefined
  readonly jwtAudiences?: readonly string[] | undefined
  /** PEM. */
  readonly trustAnchors: string
  readonly signal: AbortSignal
}

/** Time for one attempt. */
const timeoutMs = 5_000
const longestAnswer = 1024 * 1024

/** Sentry has answered, and will not sign: asking again changes nothing. */
export class IdentityRefused extends Error {
  override readonly name = 'IdentityRefused'
}

/**
 * Makes a key and has sentry sign it. What speaks gRPC is loaded here, so that only who needs it has it.
 * @throws IdentityRefused when sentry says no; any other Error when it may say yes later
 */
export async function requestIdentity(request: SigningRequest): Promise<Identity> {
  const [
    { token, validator },
    { CA },
    { callsOf },
    { GrpcChannel, isGrpcError, grpcStatus, grpcStatusName },
    http2,
  ] = await Promise.all([
    readSentryToken(request),
    import('@outrigger/proto/sentry'),
    import('@outrigger/proto/call'),
    import('@outrigger/wire/grpc'),
    import('@outrigger/wire/http2'),
  ])
  const { address, appId, namespace, trustDomain = '', jwtAudiences = [], trustAnchors, sentryId } = request
  const csr = createCertificateRequest()
  const client = http2.createHttp2Client({
    tls: { ca: trustAnchors, verifyServer: (certificate) => mustBe(sentryId, spiffeIdOf(certificate)) },
  })
  try {
    const channel = new GrpcChannel({ origin: `https://${address}`, client, maxMessageBytes: longestAnswer })
    const answer = await callsOf(CA, channel).signCertificate(
      {
        id: appId,
        namespace,
        trustDomain,
        token,
        tokenValidator: validators[validator],
        certificateSigningRequest: Buffer.from(csr.request),
        jwtAudiences: [...jwtAudiences],
      },
      { timeoutMs, signal: request.signal },
    )
    const chain = Buffer.from(answer.workloadCertificate).toString()
    const single = Object.entries(answer.perAudienceJwts).map(([name, { value }]) => [name, value] as const)
    return readIdentity(request, chain, csr, tokensOf(answer.jwt, single))
  } catch (error) {
    if (!isGrpcError(error)) throw error
    const name = grpcStatusName(error.code)
    const refused =
      error.code === grpcStatus.PERMISSION_DENIED ||
      error.code === grpcStatus.INVALID_ARGUMENT ||
      error.code === grpcStatus.UNAUTHENTICATED
    if (refused)
      throw new IdentityRefused(`sentry at ${address} refuses the identity: ${name}: ${error.message}`)
    throw new Error(`sentry at ${address} does not answer: ${name}: ${error.message}`, { cause: error })
  } finally {
    client.close()
  }
}

function readIdentity(
  { appId, namespace, trustDomain }: SigningRequest,
  pem: string,
  { key, publicKey }: { key: string; publicKey: KeyObject },
  jwts: ReadonlyMap<string, string>,
): Identity {
  const certificates = readCertificates(pem, 'the answer of sentry')
  const leaf = certificates[0]!
  if (!leaf.publicKey.equals(publicKey))
    throw new Error('sentry has signed another key than the one it was sent')
  const id = spiffeIdOf(leaf)
  if (id === undefined) throw new Error('sentry has signed a certificate without an identity')
  const wanted = id.appId === appId && id.namespace === namespace
  if (!wanted || (trustDomain !== undefined && trustDomain !== '' && id.trustDomain !== trustDomain)) {
    throw new Error(`sentry has signed ${id.uri}, which is not what it was asked for`)
  }
  const { notBefore, notAfter } = validityOf(leaf)
  const ends = [...jwts.values()].map(expiryOf).filter((end) => end !== undefined)
  return {
    id,
    key,
    chain: writeCertificates(certificates),
    notBefore,
    expiresAt: notAfter,
    jwts,
    jwtsExpireAt: ends.length === 0 ? undefined : Math.min(...ends),
  }
}

/** What is wrong with a peer that should be somebody. */
export function mustBe(expected: SpiffeId, found: SpiffeId | undefined): Error | undefined {
  if (found?.uri === expected.uri) return undefined
  const is = found === undefined ? 'has a certificate without an identity' : `is ${found.uri}`
  return new Error(`the peer ${is}, not ${expected.uri}`)
}

/** Tokens by audience. Earlier versions of sentry issue a single one, for all audiences. */
function tokensOf(
  common: string | undefined,
  single: readonly (readonly [audience: string, token: string])[],
): Map<string, string> {
  const tokens = new Map<string, string>()
  if (common !== undefined && common !== '') {
    const { aud } = claimsOf(common)
    const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
    for (const audience of audiences) if (typeof audience === 'string') tokens.set(audience, common)
  }
  for (const [audience, token] of single) tokens.set(audience, token)
  return tokens
}

/** When a token expires, in milliseconds since the epoch. */
function expiryOf(token: string): number | undefined {
  const { exp } = claimsOf(token)
  return typeof exp === 'number' ? exp * 1000 : undefined
}

/** What a token says. Its signature is not looked at: it came from sentry itself. */
function claimsOf(token: string): { readonly exp?: unknown; readonly aud?: unknown } {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}
