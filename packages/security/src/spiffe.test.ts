import { describe, expect, it } from 'vitest'
import { parseSpiffeId, spiffeId, spiffeIdOf } from './spiffe.ts'

const uri = 'spiffe://public/ns/default/orders'

describe('an identity', () => {
  it('is written and read', () => {
    const id = spiffeId('public', 'default', 'orders')
    expect(id.uri).toBe(uri)
    expect(parseSpiffeId(uri)).toEqual(id)
  })

  it.each([
    '',
    'orders',
    'spiffe://',
    'spiffe://public',
    'spiffe://public/ns/default',
    'spiffe://public/ns/default/',
    'spiffe://public/ns//orders',
    'spiffe:///ns/default/orders',
    'spiffe://public/ns/default/orders/more',
    'spiffe://public/sa/default/orders',
    'spiffe://public/ns/../orders',
    'spiffe://public/ns/./orders',
    'spiffe://Public/ns/default/orders',
    'spiffe://user@public/ns/default/orders',
    'spiffe://public:443/ns/default/orders',
    'spiffe://public/ns/default/ord%65rs',
    'spiffe://public/ns/default/orders?a',
    'spiffe://public/ns/default/orders#a',
    'SPIFFE://public/ns/default/orders',
    'https://public/ns/default/orders',
    ` ${uri}`,
    `${uri}\n`,
    `spiffe://public/ns/default/${'a'.repeat(2048)}`,
  ])('is not %j', (text) => {
    expect(parseSpiffeId(text)).toBeUndefined()
  })

  it.each([
    [['Public', 'default', 'orders'], /trust domain "Public"/],
    [['', 'default', 'orders'], /trust domain ""/],
    [['public', '', 'orders'], /namespace ""/],
    [['public', 'default', 'or/ders'], /app id "or\/ders"/],
    [['public', 'default', '..'], /app id ".."/],
  ] as const)('cannot be made of %j', ([trustDomain, namespace, appId], message) => {
    expect(() => spiffeId(trustDomain, namespace, appId)).toThrow(message)
  })
})

describe('the identity in a certificate', () => {
  it.each([
    [`URI:${uri}`, uri],
    [`DNS:orders.default.svc, URI:${uri}`, uri],
    [`URI:${uri}, IP Address:127.0.0.1`, uri],
    [`DNS:"a, URI:${uri}", URI:spiffe://public/ns/default/other`, 'spiffe://public/ns/default/other'],
  ])('is found in %s', (subjectAltName, found) => {
    expect(spiffeIdOf({ subjectAltName })?.uri).toBe(found)
  })

  it.each([
    undefined,
    '',
    'DNS:orders',
    'URI:https://orders',
    `URI:${uri}, URI:${uri}`,
    `URI:${uri}, URI:https://orders`,
    `DNS:"a, URI:${uri}"`,
    `DNS:"a, URI:${uri}`,
    `URI:"${uri}"`,
    `:URI:${uri}`,
  ])('is not found in %s', (subjectAltName) => {
    expect(spiffeIdOf({ subjectAltName })).toBeUndefined()
  })
})
