import type { X509Certificate } from 'node:crypto'
import type { Clock, Logger, Random } from '@outrigger/host'
import type { TlsOptions } from '@outrigger/wire'
import { IdentitySource, type SecurityEvent } from './identity-source.ts'
import { PeerRules, PeerRefused, type ExpectedPeer } from './peers.ts'
import { requestIdentity } from './sentry-client.ts'
import { spiffeId, type SpiffeId } from './spiffe.ts'
import { openTrustAnchors } from './trust-anchors.ts'

/** The trust domain of sidecars that ask for none. */
export const publicTrustDomain = 'public'

export interface SecurityOptions {
  /** `host:port` of the certificate authority. */
  readonly sentryAddress: string
  readonly appId: string
  readonly namespace: string
  /** Asked for; without it sentry decides (`public`). */
  readonly trustDomain?: string | undefined
  /** Where sentry belongs to: its identity is `spiffe://<trust domain>/ns/<namespace>/dapr-sentry`. */
  readonly controlPlaneTrustDomain: string
  readonly controlPlaneNamespace: string
  /** PEM (DAPR_TRUST_ANCHORS), or a file that is watched (DAPR_TRUST_ANCHORS_FILE): one of them. */
  readonly trustAnchors?: string | undefined
  readonly trustAnchorsFile?: string | undefined
  /** File with the token to show to sentry (DAPR_SENTRY_TOKEN_FILE). */
  readonly tokenFile?: string | undefined
  /** Take the token that Kubernetes gives the pod. */
  readonly kubernetes?: boolean | undefined
  /** Audiences to get tokens (JWT) for. */
  readonly jwtAudiences?: readonly string[] | undefined
  /**
   * Other trust domains whose members may call and be called; `*` for all that the trust anchors vouch for.
   * Its own and that of the control plane are always accepted.
   */
  readonly trustDomains?: readonly string[] | undefined
  /** Those whose members may be called only. */
  readonly serverTrustDomains?: readonly string[] | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Ends the opening, not what was opened. */
  readonly signal?: AbortSignal | undefined
  /** For metrics. */
  readonly onEvent?: ((event: SecurityEvent) => void) | undefined
}

/** Who to expect behind an authority (`host:port`); `undefined` for nobody, which refuses it. */
export type Expectation = ExpectedPeer | ((authority: string) => ExpectedPeer | undefined)

/** The identity of this process and what follows from it for its connections. */
export interface Security {
  readonly id: SpiffeId
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** PEM. */
  readonly trustAnchors: string
  /** Why the last renewal failed; `undefined` while all is well. */
  readonly problem: string | undefined
  /** For servers that only accept callers with a certificate. Who they are: `identify`. */
  serverTls(): TlsOptions
  /** For clients: the server's identity counts, not its host name. */
  clientTls(expected: Expectation): TlsOptions
  /**
   * Who has sent a request, by `request.peerCertificate`.
   * @throws PeerRefused when nobody who is welcome
   */
  identify(certificate: X509Certificate | undefined): SpiffeId
  /** A token of this identity for an audience that was asked for at the start, or for the own trust domain. */
  jwt(audience: string): string | undefined
  /**
   * Called when the certificate or the trust anchors have changed: give servers and clients the new options with
   * `replaceTls`. @returns takes the listener away again
   */
  onChange(listener: () => void): () => void
  /** Ends renewing. */
  close(): void
}

/**
 * Gets an identity from sentry and keeps it fresh. Resolves when there is one: until then nothing may be served.
 * While sentry cannot be reached it waits.
 * @throws IdentityRefused when sentry says no; Error for options that cannot be right; the reason of the signal
 */
export async function openSecurity(options: SecurityOptions): Promise<Security> {
  const { clock, random, logger, signal } = options
  const request = signingRequest(options)
  const anchors = await openTrustAnchors({
    pem: options.trustAnchors,
    file: options.trustAnchorsFile,
    clock,
    logger,
    signal,
  })
  const source = new IdentitySource({
    request: (abort) => requestIdentity({ ...request, trustAnchors: anchors.current, signal: abort }),
    clock,
    random,
    logger,
    onEvent: options.onEvent,
  })
  try {
    await source.start(signal)
  } catch (error) {
    source.close()
    anchors.close()
    throw error
  }
  const { id } = source.current
  const { controlPlaneTrustDomain, trustDomains = [], serverTrustDomains = [] } = options
  const accepted = [id.trustDomain, controlPlaneTrustDomain, ...trustDomains]
  const now = (): number => clock.now()
  const rules = new PeerRules(accepted, now)
  const serverRules = new PeerRules([...accepted, ...serverTrustDomains], now)
  const own = (): TlsOptions => {
    const { chain, key } = source.current
    return { cert: chain, key, ca: anchors.current }
  }
  return {
    id,
    get expiresAt() {
      return source.current.expiresAt
    },
    get trustAnchors() {
      return anchors.current
    },
    get problem() {
      return source.problem
    },
    serverTls: () => ({ ...own(), requireClientCert: true }),
    clientTls: (expected) => ({ ...own(), verifyServer: verifier(serverRules, expected) }),
    identify: (certificate) => rules.identify(certificate),
    jwt: (audience) => source.current.jwts.get(audience),
    onChange(listener) {
      const off = [source.onChange(listener), anchors.onChange(listener)]
      return () => off.forEach((end) => end())
    },
    close() {
      source.close()
      anchors.close()
    },
  }
}

function verifier(rules: PeerRules, expected: Expectation): NonNullable<TlsOptions['verifyServer']> {
  if (typeof expected !== 'function') return (certificate) => rules.check(certificate, expected)
  return (certificate, authority) => {
    const peer = expected(authority)
    if (peer === undefined) return new PeerRefused(`nobody is expected at ${authority}`)
    return rules.check(certificate, peer)
  }
}

/** Checks what can be checked before anything is asked. */
function signingRequest(options: SecurityOptions) {
  const { sentryAddress, appId, namespace, controlPlaneTrustDomain, controlPlaneNamespace } = options
  const { trustDomain, tokenFile, kubernetes, jwtAudiences } = options
  const address = sentryAddress.trim().replace(/^https:\/\//, '')
  if (!/^[^\s/]+:\d{1,5}$/.test(address)) {
    throw new Error(
      `mutual TLS needs the address of sentry as host:port, and ${JSON.stringify(sentryAddress)} is none: correct --sentry-address`,
    )
  }
  // Throws for names that cannot be in an identity.
  spiffeId(trustDomain || publicTrustDomain, namespace, appId)
  const sentryId = spiffeId(controlPlaneTrustDomain, controlPlaneNamespace, 'dapr-sentry')
  return { address, sentryId, appId, namespace, trustDomain, tokenFile, kubernetes, jwtAudiences }
}
