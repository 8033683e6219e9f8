import type { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, issueCertificate, readAuthority, type Authority } from './authority.ts'
import { createCertificateRequest } from './csr.ts'
import { PeerRefused, PeerRules } from './peers.ts'
import { spiffeId } from './spiffe.ts'

const now = Date.UTC(2026, 0, 1)

describe('who a peer is', () => {
  let authority: Authority
  let orders: X509Certificate
  const issue = (trustDomain: string, namespace: string, appId: string): Promise<X509Certificate> =>
    issueCertificate(authority, {
      publicKey: createCertificateRequest().publicKey,
      id: spiffeId(trustDomain, namespace, appId),
      notBefore: now,
      notAfter: now + 3_600_000,
    })

  beforeAll(async () => {
    const files = await createAuthority({
      trustDomain: 'localhost',
      namespace: 'default',
      now,
      clockSkewMs: 0,
    })
    authority = readAuthority(files, now, { trustAnchors: 'a', issuerChain: 'b', issuerKey: 'c' })
    orders = await issue('public', 'default', 'orders')
  })

  it('is what its certificate says', () => {
    const rules = new PeerRules(['public'], () => now)
    expect(rules.identify(orders).uri).toBe('spiffe://public/ns/default/orders')
    expect(rules.identify(orders)).toBe(rules.identify(orders))
  })

  it('is nobody without a certificate, without an identity, or of a foreign trust domain', () => {
    const rules = new PeerRules(['public', 'localhost'], () => now)
    expect(() => rules.identify(undefined)).toThrow(PeerRefused)
    expect(() => rules.identify(authority.chain[0])).toThrow('has no identity')
    expect(() => new PeerRules(['localhost'], () => now).identify(orders)).toThrow(
      'spiffe://public/ns/default/orders is of a foreign trust domain',
    )
  })

  it('is nobody any more when its certificate has expired, also on a connection that still stands', () => {
    let time = now
    const rules = new PeerRules(['public'], () => time)
    time = now + 3_600_000
    expect(rules.identify(orders).appId).toBe('orders')
    time++
    expect(() => rules.identify(orders)).toThrow('spiffe://public/ns/default/orders has expired')
    const expected = { namespace: 'default', appId: 'orders' }
    expect(rules.check(orders, expected)?.message).toMatch(/has expired/)
  })

  it('may be of any trust domain where all are welcome', async () => {
    expect(
      new PeerRules(['*'], () => now).identify(await issue('elsewhere', 'default', 'stock')).trustDomain,
    ).toBe('elsewhere')
  })

  it('must be who is expected', async () => {
    const rules = new PeerRules(['public', 'localhost'], () => now)
    const expected = { namespace: 'default', appId: 'orders' }
    expect(rules.check(orders, expected)).toBeUndefined()
    expect(rules.check(orders, { ...expected, trustDomain: 'public' })).toBeUndefined()
    expect(rules.check(orders, { ...expected, trustDomain: 'localhost' })).toBeInstanceOf(PeerRefused)
    expect(rules.check(orders, { ...expected, namespace: 'other' })?.message).toMatch(
      /not orders of the namespace other/,
    )
    expect(rules.check(await issue('public', 'default', 'stock'), expected)?.message).toMatch(
      /is spiffe.*stock, not orders/,
    )
    expect(rules.check(await issue('elsewhere', 'default', 'orders'), expected)?.message).toMatch(
      /foreign trust domain/,
    )
  })
})
