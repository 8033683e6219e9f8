import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { oidcAudience, startOidcProvider, type OidcProvider } from '@outrigger/services'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'

let provider: OidcProvider
beforeAll(async () => {
  provider = await startOidcProvider([
    {
      client_id: 'caller',
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ])
})
afterAll(() => provider.stop())

async function tokenOf({ issuer }: OidcProvider): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'read' })
  const authorization = `Basic ${btoa('caller:secret')}`
  const response = await fetch(`${issuer}/token`, { method: 'POST', body, headers: { authorization } })
  return ((await response.json()) as { access_token: string }).access_token
}

const bearer = (token: string) => ({ fields: { authorization: `Bearer ${token}` } })

describe('with a real provider', () => {
  middlewareConformance(definition, {
    properties: () => ({ issuer: provider.issuer, audience: oidcAudience }),
    passing: async () => bearer(await tokenOf(provider)),
    refused: { input: () => bearer('a.b.c'), status: 401 },
  })

  test('its tokens pass, for the audience they are for', async () => {
    const token = await tokenOf(provider)
    const create = (properties: Record<string, string>) => createForTest(definition, { properties })
    const right = await create({ issuerURL: provider.issuer, clientID: oidcAudience })
    expect((await exchange(right, bearer(token))).passed?.fields.get('authorization')).toBe(`Bearer ${token}`)
    expect((await exchange(right, { fields: { authorization: `bEARER ${token}` } })).status).toBe(200)
    const other = await create({ issuer: provider.issuer, audience: 'other' })
    const refused = await exchange(other, bearer(token))
    expect([refused.status, refused.text, Object.fromEntries(refused.fields.entries())]).toEqual([
      401,
      'Unauthorized',
      { 'content-type': 'text/plain; charset=utf-8', 'www-authenticate': 'Bearer error="invalid_token"' },
    ])
    const set = await create({
      issuer: provider.issuer,
      audience: oidcAudience,
      jwksURL: `${provider.issuer}/jwks`,
    })
    expect((await exchange(set, bearer(token))).status).toBe(200)
    const foreign = await create({
      issuer: 'https://other',
      audience: oidcAudience,
      jwksURL: `${provider.issuer}/jwks`,
    })
    expect((await exchange(foreign, bearer(token))).status).toBe(401)
  })

  test('a new key of the provider is found, and is not asked for with every token', async () => {
    const own = await startOidcProvider([
      {
        client_id: 'caller',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ])
    onTestFinished(() => own.stop())
    const clock = virtualClock(Date.now())
    const instance = await createForTest(definition, {
      properties: { issuer: own.issuer, audience: oidcAudience },
      clock,
    })
    onTestFinished(() => instance.close())
    const former = await tokenOf(own)
    expect((await exchange(instance, bearer(former))).status).toBe(200)
    await own.rotate()
    const token = await tokenOf(own)
    const asked = () => own.requests.filter((path) => path === '/jwks').length
    expect([(await exchange(instance, bearer(token))).status, asked()]).toEqual([401, 1])
    await clock.advance(30_000)
    const results = await Promise.all([1, 2, 3].map(() => exchange(instance, bearer(token))))
    expect([results.map(({ status }) => status), asked()]).toEqual([[200, 200, 200], 2])
    expect((await exchange(instance, bearer(former))).status).toBe(401)
  })

  test('keys that age are renewed beside the requests; if that fails the former ones are used', async () => {
    const own = await startOidcProvider([
      {
        client_id: 'caller',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ])
    onTestFinished(() => own.stop())
    const clock = virtualClock(Date.now())
    const logger = recordingLogger()
    const properties = { issuer: own.issuer, audience: oidcAudience }
    const instance = await createForTest(definition, { properties, clock, logger })
    const token = await tokenOf(own)
    own.broken = 503
    await clock.advance(600_000)
    expect((await exchange(instance, bearer(token))).status).toBe(200)
    await expect.poll(() => logger.records.length).toBe(1)
    expect(logger.records).toMatchObject([{ level: 'warn' }])
    await instance.close()
  })
})

describe('of a provider', () => {
  const answers = new Map<string, unknown>()
  let issuer: string
  const server = createServer((request, response) => {
    const answer = answers.get(request.url!)
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  })
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => void server.close())
  const wellKnown = '/.well-known/openid-configuration'
  const create = () => createForTest(definition, { properties: { issuer, audience: 'me' } })

  test.each([
    [undefined, 'status 404'],
    ['<html>', 'is no JSON object'],
    [{ issuer: 'https://evil' }, 'names "https://evil" as the issuer'],
    [{}, 'names nobody as the issuer'],
    ['ISSUER', 'has no jwks_uri'],
    ['FILE', 'jwks_uri must be a URL of http or https'],
  ])('a discovery document that is %j cannot be used', async (document, message) => {
    const known: Record<string, unknown> = {
      ISSUER: { issuer },
      FILE: { issuer, jwks_uri: 'file:///etc/passwd' },
    }
    answers.set(wellKnown, known[document as string] ?? document)
    await expect(create()).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message),
    })
  })

  test('keys that are none', async () => {
    answers.set(wellKnown, { issuer, jwks_uri: `${issuer}/keys` })
    answers.set('/keys', { keys: 'x' })
    await expect(create()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('tokens: what is expired, unsigned, of a wrong signature or a symmetric one', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256' }
    answers.set(wellKnown, { issuer, jwks_uri: `${issuer}/keys` })
    answers.set('/keys', { keys: [jwk] })
    const instance = await create()
    onTestFinished(() => instance.close())
    const now = Math.floor(Date.now() / 1000)
    const sign = (claims: object, header: object = {}) =>
      new SignJWT({ iss: issuer, aud: ['x', 'me'], exp: now + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'a', ...header })
        .sign(privateKey)
    const status = async (token: string) => (await exchange(instance, bearer(token))).status
    expect(await status(await sign({}))).toBe(200)
    expect(await status(await sign({ exp: now - 240 }))).toBe(200)
    expect(await status(await sign({ exp: now - 360 }))).toBe(401)
    // One that never ends could be used for ever by whoever finds it.
    expect(await status(await sign({ exp: undefined }))).toBe(401)
    expect(await status(await sign({ nbf: now + 240 }))).toBe(200)
    expect(await status(await sign({ nbf: now + 360 }))).toBe(401)
    expect(await status(await sign({ aud: 'other' }))).toBe(401)
    expect(await status(await sign({ iss: `${issuer}/` }))).toBe(401)
    expect(await status(await sign({}, { kid: 'unknown' }))).toBe(401)
    const token = await sign({})
    expect(await status(`${token.slice(0, -6)}AAAAAA`)).toBe(401)
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`
    expect(await status(none)).toBe(401)
    const secret = new TextEncoder().encode(JSON.stringify(jwk))
    const symmetric = await new SignJWT({ iss: issuer, aud: 'me', exp: now + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'a' })
      .sign(secret)
    expect(await status(symmetric)).toBe(401)
    for (const authorization of [
      '',
      'Basic x',
      'Bearer',
      'Bearer ',
      'Bearer x',
      `Bearer ${'x'.repeat(10_000)}`,
    ])
      expect((await exchange(instance, { fields: { authorization } })).status).toBe(401)
    expect((await exchange(instance)).fields.get('www-authenticate')).toBe('Bearer')
    // Who reads the last one would read what nobody has looked at.
    const twice = [`Bearer ${token}`, 'Bearer forged'].map((value) => ['authorization', value] as const)
    expect((await exchange(instance, { fields: twice })).status).toBe(401)
  })
})
