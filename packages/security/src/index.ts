export { readCertificates, readPrivateKey, validityOf, writeCertificates } from './certificates.ts'
export { createCertificateRequest, type CertificateRequest } from './csr.ts'
export { securityFromEnvironment } from './environment.ts'
export type { SecurityEvent } from './identity-source.ts'
export { PeerRefused, type ExpectedPeer } from './peers.ts'
export {
  openSecurity,
  publicTrustDomain,
  type Expectation,
  type Security,
  type SecurityOptions,
} from './security.ts'
export { IdentityRefused, type Identity } from './sentry-client.ts'
export {
  isSegment,
  isTrustDomain,
  longestAppId,
  parseSpiffeId,
  spiffeId,
  spiffeIdOf,
  type SpiffeId,
} from './spiffe.ts'
export { renewalTime } from './renewal.ts'
export { openTrustAnchors, type TrustAnchorOptions, type TrustAnchors } from './trust-anchors.ts'
