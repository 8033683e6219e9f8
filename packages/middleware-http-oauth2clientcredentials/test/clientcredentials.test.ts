import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { oidcAudience, startOidcProvider, type OidcProvider } from '@outrigger/services'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'

let provider: OidcProvider
beforeAll(async () => {
  const grants = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  provider = await startOidcProvider([{ ...grants, client_id: 'shop', client_secret: 'the secret' }], {
    accessTokenSeconds: 600,
  })
})
afterAll(() => provider.stop())

const properties = (more: Record<string, string> = {}) => ({
  clientID: 'shop',
  clientSecret: 'the secret',
  scopes: 'read,write',
  tokenURL: `${provider.issuer}/token`,
  headerName: 'Authorization',
  ...more,
})

async function create(more: Record<string, string> = {}) {
  const clock = virtualClock(Date.now())
  const logger = recordingLogger()
  const instance = await createForTest(definition, { properties: properties(more), clock, logger })
  onTestFinished(() => instance.close())
  return { instance, clock, logger }
}

middlewareConformance(definition, { properties: () => properties() })
middlewareConformance(definition, {
  properties: () => properties({ pathFilter: '^/a', clientSecret: 'wrong' }),
  passing: () => ({ target: '/b' }),
  refused: { input: () => ({ target: '/a' }), status: 502 },
})

const claimsOf = (header: string | undefined) =>
  JSON.parse(Buffer.from(header!.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>

test('each request gets the token of the provider, which is asked again when that ends', async () => {
  const { instance, clock } = await create()
  const ask = async () =>
    (await exchange(instance, { fields: { authorization: 'own' } })).passed!.fields.getAll('authorization')
  const before = provider.requests.length
  const [first, ...more] = await ask()
  expect([first!.startsWith('Bearer '), more]).toEqual([true, []])
  expect(claimsOf(first)).toMatchObject({ aud: oidcAudience, client_id: 'shop', scope: 'read write' })
  expect(await ask()).toEqual([first])
  expect(provider.requests.length - before).toBe(1)
  await clock.advance(600_000)
  expect(await ask()).not.toEqual([first])
  expect(provider.requests.length - before).toBe(2)
})

test.each(['0', '1', '2'])('the client shows who it is with authStyle %s', async (authStyle) => {
  for (const [clientSecret, status] of [
    ['the secret', 200],
    ['wrong secret', 502],
  ] as const) {
    const { instance, logger } = await create({ authStyle, clientSecret })
    expect((await exchange(instance)).status).toBe(status)
    expect(logger.records).toHaveLength(status === 200 ? 0 : 1)
    expect(JSON.stringify(logger.records)).not.toContain(clientSecret)
  }
})

test('more parameters, and another header', async () => {
  const { instance } = await create({ endpointParamsQuery: 'resource=urn%3Aother', headerName: 'X-Token' })
  const { passed } = await exchange(instance, { fields: { authorization: 'own' } })
  expect([passed!.fields.get('authorization'), passed!.fields.get('x-token')!.startsWith('Bearer ')]).toEqual(
    ['own', true],
  )
})

test('a request without its token comes to nobody, and the next one tries again', async () => {
  const { instance, logger } = await create()
  provider.broken = 503
  onTestFinished(() => void (provider.broken = undefined))
  const outcome = await exchange(instance)
  expect([outcome.status, outcome.text, outcome.passed]).toEqual([
    502,
    'no token could be acquired',
    undefined,
  ])
  expect(logger.records).toMatchObject([{ level: 'error' }])
  provider.broken = undefined
  expect((await exchange(instance)).status).toBe(200)
})

test('a token that the application refuses is replaced', async () => {
  const { instance, clock } = await create()
  const ask = async (status: number) =>
    (await exchange(instance, {}, () => ({ status }))).passed!.fields.get('authorization')
  const first = await ask(200)
  await clock.advance(30_000)
  expect(await ask(401)).toBe(first)
  expect(await ask(200)).not.toBe(first)
})

test.each([
  [{ tokenURL: 'x' }, 'tokenURL must be a URL'],
  [{ headerName: 'a b' }, 'headerName is no name of a header'],
  [{ pathFilter: '(' }, 'pathFilter is not a regular expression of RE2'],
])('%j cannot be used', async (more, message) => {
  await expect(create(more as never)).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message),
  })
})

test.each([
  ['authStyle', '3'],
  ['scopes', ''],
])('%s cannot be "%s"', async (name, value) => {
  await expect(create({ [name]: value })).rejects.toThrow(name)
})
