import { create } from '@outrigger/proto'
import { SignCertificateRequestSchema } from '@outrigger/proto/sentry'
import { spiffeId } from '@outrigger/security'
import { grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import { describe, expect, it } from 'vitest'
import { dnsNamesOf, requestedIdentity } from './identity.ts'

const home = { trustDomain: 'localhost', namespace: 'system' }
const ask = (id: string, namespace: string, trustDomain = '', jwtAudiences: string[] = []) =>
  requestedIdentity(create(SignCertificateRequestSchema, { id, namespace, trustDomain, jwtAudiences }), home)

describe('the identity that is asked for', () => {
  it.each([
    [['orders', 'default'], 'spiffe://public/ns/default/orders'],
    [['orders', 'default', 'shop.example'], 'spiffe://shop.example/ns/default/orders'],
    [['a'.repeat(64), 'default'], `spiffe://public/ns/default/${'a'.repeat(64)}`],
    [['orders', 'default', 'localhost'], 'spiffe://localhost/ns/default/orders'],
    [['dapr-placement', 'system', 'localhost'], 'spiffe://localhost/ns/system/dapr-placement'],
    // An application may be called like that where it is not taken for the service.
    [['dapr-placement', 'default'], 'spiffe://public/ns/default/dapr-placement'],
  ] as const)('%j is %s', ([id, namespace, trustDomain], uri) => {
    expect(ask(id, namespace, trustDomain).uri).toBe(uri)
  })

  it.each<[string, () => unknown, string, RegExp]>([
    ['no name', () => ask('', 'default'), 'INVALID_ARGUMENT', /no app id/],
    ['a long name', () => ask('a'.repeat(65), 'default'), 'INVALID_ARGUMENT', /longer than 64/],
    ['a dot', () => ask('a.b', 'default'), 'INVALID_ARGUMENT', /dot/],
    ['a slash', () => ask('a/b', 'default'), 'INVALID_ARGUMENT', /app id "a\/b"/],
    ['a line break', () => ask('a\nb', 'default'), 'INVALID_ARGUMENT', /app id "a\\nb"/],
    ['no namespace', () => ask('a', ''), 'INVALID_ARGUMENT', /no namespace/],
    ['a wrong namespace', () => ask('a', '../b'), 'INVALID_ARGUMENT', /namespace "..\/b"/],
    ['a long namespace', () => ask('a', 'b'.repeat(254)), 'INVALID_ARGUMENT', /longer than 253/],
    ['a wrong trust domain', () => ask('a', 'default', 'Shop'), 'INVALID_ARGUMENT', /trust domain "Shop"/],
    ['a trust domain with a path', () => ask('a', 'b', 'x/ns/b/c'), 'INVALID_ARGUMENT', /trust domain/],
    ['an empty audience', () => ask('a', 'b', '', ['']), 'INVALID_ARGUMENT', /audience/],
    ['many audiences', () => ask('a', 'b', '', Array(33).fill('x')), 'INVALID_ARGUMENT', /32 audiences/],
    ['a long audience', () => ask('a', 'b', '', ['x'.repeat(513)]), 'INVALID_ARGUMENT', /longer than 512/],
    ['sentry', () => ask('dapr-sentry', 'system', 'localhost'), 'PERMISSION_DENIED', /given to nobody/],
    ['sentry elsewhere', () => ask('dapr-sentry', 'default', 'localhost'), 'PERMISSION_DENIED', /nobody/],
  ])('is refused: %s', (_, run, status, message) => {
    let error: unknown
    try {
      run()
    } catch (caught) {
      error = caught
    }
    expect(isGrpcError(error) && grpcStatusName(error.code)).toBe(status)
    expect((error as Error).message).toMatch(message)
  })

  it('may be of the public trust domain when the control plane is, too', () => {
    const open = { trustDomain: 'public', namespace: 'default' }
    const request = create(SignCertificateRequestSchema, { id: 'orders', namespace: 'default' })
    expect(requestedIdentity(request, open).uri).toBe('spiffe://public/ns/default/orders')
    const sentry = create(SignCertificateRequestSchema, { id: 'dapr-sentry', namespace: 'default' })
    expect(() => requestedIdentity(sentry, open)).toThrow('given to nobody')
  })
})

describe('names beside the identity', () => {
  it.each([
    ['dapr-injector', ['dapr-sidecar-injector.system.svc']],
    ['dapr-operator', ['dapr-webhook.system.svc']],
    [
      'dapr-scheduler',
      [0, 1, 2].map((index) => `dapr-scheduler-server-${index}.dapr-scheduler-server.system.svc.localhost`),
    ],
    ['dapr-placement', []],
  ])('are for services that others reach: %s', (appId, names) => {
    expect(dnsNamesOf(spiffeId('localhost', 'system', appId), home)).toEqual(names)
    // Not for an application of that name.
    expect(dnsNamesOf(spiffeId('public', 'system', appId), home)).toEqual([])
    expect(dnsNamesOf(spiffeId('localhost', 'default', appId), home)).toEqual([])
  })
})
