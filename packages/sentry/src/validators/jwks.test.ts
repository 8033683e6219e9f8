import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { create } from '@outrigger/proto'
import { SignCertificateRequestSchema } from '@outrigger/proto/sentry'
import { spiffeId } from '@outrigger/security'
import { virtualClock } from '@outrigger/testkit'
import { grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import { exportJWK, SignJWT, UnsecuredJWT, type JSONWebKeySet, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { jwksValidator } from './jwks.ts'

const audience = 'spiffe://localhost/ns/default/dapr-sentry'
const id = spiffeId('public', 'default', 'orders')
const hour = 3600

describe('a token', () => {
  const clock = virtualClock()
  const now = (): number => Math.floor(clock.now() / 1000)
  let key: KeyObject
  let stranger: KeyObject
  let set: JSONWebKeySet | undefined
  let next: JSONWebKeySet | undefined
  const publicOf = async (pair: { publicKey: KeyObject }, kid: string): Promise<JWK> => ({
    ...(await exportJWK(pair.publicKey)),
    kid,
  })

  beforeAll(async () => {
    const one = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const two = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    key = one.privateKey
    stranger = two.privateKey
    set = { keys: [await publicOf(one, 'one')] }
    next = { keys: [await publicOf(one, 'one'), await publicOf(two, 'two')] }
  })

  const claims = { sub: id.uri, aud: [audience, 'other'], exp: 0, iat: 0 }
  const sign = (more: object = {}, signer = key, kid = 'one'): Promise<string> =>
    new SignJWT({ ...claims, iat: now(), exp: now() + hour, ...more })
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(signer)

  const validate = (token: string, refreshed?: JSONWebKeySet): Promise<void> => {
    let current = set
    const keys = {
      current: () => current,
      refresh: async () => {
        if (refreshed === undefined) return false
        current = refreshed
        return true
      },
      close: () => {},
    }
    const request = create(SignCertificateRequestSchema, { id: 'orders', namespace: 'default', token })
    return jwksValidator({ keys, audience, clock }).validate(request, id)
  }
  const refused = async (token: string): Promise<string> => {
    const error: unknown = await validate(token).catch((caught: unknown) => caught)
    if (!isGrpcError(error)) throw new Error('it was accepted')
    expect(error.message).not.toContain(token.slice(10, 40) || 'nothing to show')
    return `${grpcStatusName(error.code)}: ${error.message}`
  }

  it('is accepted for its subject, its audience and its key', async () => {
    await validate(await sign())
  })

  it('may be a little late or early', async () => {
    await validate(await sign({ exp: now() - 290 }))
    await validate(await sign({ nbf: now() + 290 }))
  })

  it('may be signed with a key that has just been added', async () => {
    const token = await sign({}, stranger, 'two')
    await validate(token, next)
    expect(await refused(token)).toMatch(/PERMISSION_DENIED: .*key that is not known/)
  })

  it.each<[string, () => Promise<string>, RegExp]>([
    ['none', async () => '', /has no token/],
    ['expired', () => sign({ exp: now() - 310 }), /it has expired/],
    ['not valid yet', () => sign({ nbf: now() + 310 }), /not valid yet/],
    ['without an end', () => sign({ exp: undefined }), /it does not say when it expires/],
    ['for another audience', () => sign({ aud: 'other' }), /another audience/],
    ['for no audience', () => sign({ aud: undefined }), /another audience/],
    [
      'for another identity',
      () => sign({ sub: 'spiffe://public/ns/default/stock' }),
      /its subject is not the identity/,
    ],
    ['of another trust domain', () => sign({ sub: 'spiffe://elsewhere/ns/default/orders' }), /its subject/],
    ['for nobody', () => sign({ sub: undefined }), /its subject/],
    ['signed by a stranger under a known name', () => sign({}, stranger), /its signature is wrong/],
    ['unsigned', async () => new UnsecuredJWT({ ...claims, exp: now() + hour }).encode(), /not accepted/],
    ['cut', async () => (await sign()).slice(0, -4), /not accepted/],
    ['no token at all', async () => 'not a token, but a secret', /cannot be read/],
    ['too long', async () => 'x'.repeat(70_000), /longer than/],
    [
      'signed with the public key as if it were shared',
      async () => {
        const shared = new TextEncoder().encode(JSON.stringify(set!.keys[0]))
        return new SignJWT({ ...claims, exp: now() + hour }).setProtectedHeader({ alg: 'HS256' }).sign(shared)
      },
      /not accepted/,
    ],
  ])('is refused: %s', async (_, make, message) => {
    const text = await refused(await make())
    expect(text).toMatch(/^PERMISSION_DENIED: /)
    expect(text).toMatch(message)
  })

  it('cannot be checked before the keys are there', async () => {
    const before = set
    set = undefined
    try {
      expect(await refused(await sign())).toMatch(/^UNAVAILABLE: /)
    } finally {
      set = before
    }
  })
})
