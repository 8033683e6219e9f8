import type { X509Certificate } from 'node:crypto'
import { spiffeIdOf, type SpiffeId } from './spiffe.ts'

/** Who a server must prove to be. Without a trust domain, any that is accepted will do. */
export interface ExpectedPeer {
  readonly namespace: string
  readonly appId: string
  readonly trustDomain?: string | undefined
}

/** A peer whose certificate is genuine but who is not who it should be. */
export class PeerRefused extends Error {
  override readonly name = 'PeerRefused'
}

/** Decides about peers whose certificates have been verified against the trust anchors. */
export class PeerRules {
  private readonly trustDomains: ReadonlySet<string>
  private readonly any: boolean
  private readonly now: () => number
  /** A connection shows the same certificate with each of its requests. */
  private readonly known = new WeakMap<
    X509Certificate,
    { readonly id: SpiffeId; readonly notAfter: number }
  >()

  /**
   * @param trustDomains whose members are accepted; `*` for all that the trust anchors vouch for
   * @param now milliseconds since the epoch: a connection may outlive the certificate that it was made with
   */
  constructor(trustDomains: readonly string[], now: () => number) {
    this.now = now
    this.trustDomains = new Set(trustDomains)
    this.any = this.trustDomains.has('*')
  }

  /** @throws PeerRefused without a certificate, without an identity, of a foreign trust domain, or too late */
  identify(certificate: X509Certificate | undefined): SpiffeId {
    if (certificate === undefined) throw new PeerRefused('the peer shows no certificate')
    let known = this.known.get(certificate)
    if (known === undefined) {
      known = { id: this.read(certificate), notAfter: certificate.validToDate.getTime() }
      this.known.set(certificate, known)
    }
    const { id, notAfter } = known
    if (this.now() > notAfter) throw new PeerRefused(`the certificate of the peer ${id.uri} has expired`)
    return id
  }

  private read(certificate: X509Certificate): SpiffeId {
    const id = spiffeIdOf(certificate)
    if (id === undefined) throw new PeerRefused('the certificate of the peer has no identity')
    if (!this.any && !this.trustDomains.has(id.trustDomain)) {
      throw new PeerRefused(
        `the peer ${id.uri} is of a foreign trust domain, which no policy of accessControl names`,
      )
    }
    return id
  }

  /** What is wrong with a server. */
  check(certificate: X509Certificate, expected: ExpectedPeer): PeerRefused | undefined {
    try {
      const { uri, namespace, appId, trustDomain } = this.identify(certificate)
      const { trustDomain: domain = trustDomain } = expected
      if (namespace === expected.namespace && appId === expected.appId && trustDomain === domain)
        return undefined
      return new PeerRefused(
        `the peer is ${uri}, not ${expected.appId} of the namespace ${expected.namespace}`,
      )
    } catch (error) {
      return error as PeerRefused
    }
  }
}
