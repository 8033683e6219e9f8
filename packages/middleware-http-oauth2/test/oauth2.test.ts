import { createForTest, exchange, middlewareConformance, type MiddlewareInput } from '@outrigger/conformance'
import { Browser, oidcAudience, startOidcProvider, type OidcProvider, type Page } from '@outrigger/services'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import type { HttpMiddleware } from '@outrigger/spec'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'

/** A server whose requests pass through one middleware, to an application that says what it saw. */
class Site {
  middleware: Pick<HttpMiddleware, 'handle'> | undefined
  url = ''
  readonly seen: Record<string, string>[] = []
  readonly #server = createServer(async (request, response) => {
    const fields = Object.entries(request.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each) => [name, each] as const),
    )
    const input: MiddlewareInput = {
      method: request.method,
      target: request.url,
      authority: request.headers.host,
      remoteAddress: request.socket.remoteAddress,
      fields,
    }
    const outcome = await exchange(this.middleware!, input, (passed) => {
      this.seen.push(Object.fromEntries(passed.fields.entries()))
      return { body: `hello from ${passed.target}` }
    })
    for (const [name, value] of outcome.fields.entries()) response.appendHeader(name, value)
    response.writeHead(outcome.status).end(outcome.text)
  })

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

let provider: OidcProvider
const site = new Site()
beforeAll(async () => {
  await site.open()
  provider = await startOidcProvider(
    [
      {
        client_id: 'shop',
        client_secret: 'the secret',
        redirect_uris: [`${site.url}/signed-in`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    { accessTokenSeconds: 600 },
  )
})
afterAll(async () => {
  site.close()
  await provider.stop()
})

const properties = (more: Record<string, string> = {}) => ({
  clientID: 'shop',
  clientSecret: 'the secret',
  authURL: `${provider.issuer}/auth`,
  tokenURL: `${provider.issuer}/token`,
  redirectURL: `${site.url}/signed-in`,
  scopes: 'openid,read',
  ...more,
})

async function serve(more: Record<string, string> = {}, clock = virtualClock(Date.now())) {
  const logger = recordingLogger()
  const instance = await createForTest(definition, { properties: properties(more), clock, logger })
  site.middleware = instance
  site.seen.length = 0
  return { clock, logger, instance, browser: new Browser() }
}

async function signIn(browser: Browser, url: string): Promise<Page> {
  const login = await browser.open(url)
  expect(login.url).toContain(`${provider.issuer}/interaction/`)
  const consent = await browser.submit(login, { login: 'ada', password: 'x' })
  return browser.submit(consent)
}

describe('a user', () => {
  test('signs in at the provider, comes back to where it began, and stays signed in', async () => {
    const { browser, clock } = await serve()
    const page = await signIn(browser, `${site.url}/orders?page=2`)
    expect([page.status, page.text]).toEqual([200, 'hello from /orders?page=2'])
    expect(new URL(page.url).pathname).toBe('/orders')
    const [type, token] = site.seen[0]!['authorization']!.split(' ')
    const claims = JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString()) as Record<
      string,
      unknown
    >
    expect([type, claims['sub'], claims['aud'], claims['scope']]).toEqual([
      'Bearer',
      'ada',
      oidcAudience,
      'read',
    ])
    expect(site.seen[0]!['cookie']).not.toContain('oauth2_')

    const asked = provider.requests.length
    const again = await browser.open(`${site.url}/other`)
    expect([again.text, provider.requests.length]).toEqual(['hello from /other', asked])

    const own = browser.setCookies.filter((line) => line.startsWith('oauth2_'))
    expect(own.length).toBeGreaterThan(1)
    for (const line of own) expect(line).toContain('; HttpOnly; SameSite=Lax')
    expect(own.join()).not.toContain(token)
    expect(
      [...browser.cookies.get('127.0.0.1')!.keys()].filter((name) => name.startsWith('oauth2_')),
    ).toEqual(['oauth2_test'])

    // The provider knows the user still, and the token is new.
    await clock.advance(601_000)
    const visited = browser.visited.length
    expect((await browser.open(`${site.url}/later`)).text).toBe('hello from /later')
    expect(browser.visited.slice(visited).map((url) => new URL(url).pathname)).toContain('/auth')
  })

  test('cannot pass by a header of its own', async () => {
    const { browser } = await serve({ authHeaderName: 'X-User' })
    await signIn(browser, `${site.url}/`)
    await browser.open(`${site.url}/`, { headers: { 'x-user': 'forged', authorization: 'Bearer own' } })
    expect(site.seen.at(-1)).toMatchObject({
      'x-user': expect.stringMatching(/^Bearer /),
      authorization: 'Bearer own',
    })
    expect(site.seen.at(-1)!['x-user']).not.toContain('forged')
  })

  test('is asked for on the paths of the filter alone', async () => {
    const { browser } = await serve({ pathFilter: '^/private' })
    expect((await browser.open(`${site.url}/public`)).text).toBe('hello from /public')
    expect(site.seen[0]).not.toHaveProperty('authorization')
    expect((await signIn(browser, `${site.url}/private/a`)).text).toBe('hello from /private/a')
  })
})

test.each([
  ['/private/a', 302],
  ['/%70rivate/a', 302],
  ['/public/%2e%2e/private/a', 302],
  ['/public/..;x/private', 302],
  ['/public%2F..%2Fprivate', 302],
  ['/%2Fprivate', 302],
  ['/;x/private', 302],
  ['/pri%3b/../private', 302],
  ['/a;b/%3B/..;/..%3b/private', 302],
  ['/a%2Fprivate', 200],
  ['/a%FFb', 200],
  ['/a;/private', 200],
])('no spelling leads past the filter ^/private: %s is answered with %i', async (target, status) => {
  await serve({ pathFilter: '^/private' })
  expect((await exchange(site.middleware!, { target })).status).toBe(status)
})

describe('what does not belong to a login', () => {
  const callback = (state: string, more = 'code=abc') => `${site.url}/signed-in?state=${state}&${more}`
  const stateOf = (page: Page) => new URL(page.headers.get('location')!).searchParams.get('state')!

  /** The first step alone. */
  async function started(browser: Browser): Promise<string> {
    const response = await fetch(`${site.url}/a`, { redirect: 'manual' })
    const jar = browser.cookies.get('127.0.0.1') ?? new Map<string, string>()
    browser.cookies.set('127.0.0.1', jar)
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]!.split('=')
      jar.set(name, value)
    }
    return stateOf({ url: '', status: response.status, headers: response.headers, text: '' })
  }

  test('a state that is unknown, of another browser, or too old', async () => {
    const { browser, clock } = await serve()
    const state = await started(browser)
    expect(await new Browser().open(callback(state))).toMatchObject({ status: 400, text: 'invalid state' })
    expect(await browser.open(callback('other'))).toMatchObject({ status: 400, text: 'invalid state' })
    await clock.advance(600_000)
    expect(await browser.open(callback(state))).toMatchObject({ status: 400, text: 'invalid state' })
  })

  test('but two logins of one browser do', async () => {
    const { browser } = await serve()
    for (const state of [await started(browser), await started(browser)].toReversed())
      expect(await browser.open(callback(state))).toMatchObject({
        text: 'the provider did not accept the code',
      })
  })

  test('a cookie that was put under another name', async () => {
    const { browser } = await serve()
    await started(browser)
    const jar = browser.cookies.get('127.0.0.1')!
    const [name, value] = [...jar][0]!
    jar.delete(name)
    jar.set('oauth2_test', value)
    const response = await fetch(`${site.url}/a`, {
      redirect: 'manual',
      headers: { cookie: `oauth2_test=${value}` },
    })
    expect([response.status, site.seen]).toEqual([302, []])
  })

  test('a code that the provider does not know, and a refusal', async () => {
    const { browser, logger } = await serve()
    const first = await browser.open(callback(await started(browser)))
    expect([first.status, first.text]).toEqual([401, 'the provider did not accept the code'])
    expect(logger.records).toMatchObject([{ level: 'error' }])
    const second = await browser.open(callback(await started(browser), 'error=access_denied'))
    expect([second.status, second.text]).toEqual([401, 'the provider refused: access_denied'])
    expect(browser.cookies.get('127.0.0.1')!.size).toBe(0)
  })

  test('a provider that cannot be reached', async () => {
    const { browser } = await serve()
    const state = await started(browser)
    provider.broken = 503
    onTestFinished(() => void (provider.broken = undefined))
    expect(await browser.open(callback(state))).toMatchObject({
      status: 502,
      text: 'the provider cannot be reached',
    })
  })

  test('requests that a page makes beside', async () => {
    const { instance } = await serve()
    const outcome = await exchange(instance, { fields: { 'sec-fetch-dest': 'empty' } })
    expect([outcome.status, outcome.fields.has('set-cookie')]).toEqual([401, false])
    expect((await exchange(instance, { fields: { 'sec-fetch-dest': 'document' } })).status).toBe(302)
  })

  test('too many logins that were never ended', async () => {
    const { instance } = await serve()
    const cookie = Array.from({ length: 6 }, (_, n) => `oauth2_test.s${n}=x`).join('; ')
    const outcome = await exchange(instance, { fields: { cookie } })
    const gone = outcome.fields.getAll('set-cookie').filter((line) => line.includes('Max-Age=0'))
    expect(gone.map((line) => line.split('=')[0])).toEqual(['oauth2_test.s0', 'oauth2_test.s1'])
  })
})

describe('where a user is sent', () => {
  test('is the provider, with what it must know', async () => {
    const { instance } = await serve({ authURL: 'https://id.example/auth?tenant=1', forceHTTPS: 'true' })
    const outcome = await exchange(instance, { target: '/a', authority: 'shop' })
    const url = new URL(outcome.fields.get('location')!)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      tenant: '1',
      client_id: 'shop',
      response_type: 'code',
      redirect_uri: `${site.url}/signed-in`,
      scope: 'openid read',
      state: expect.stringMatching(/^[\w-]{32}$/),
      access_type: 'offline',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    expect(outcome.fields.get('set-cookie')).toMatch(/; Secure$/)
    expect(outcome.fields.get('cache-control')).toBe('no-store')
  })

  test.each([
    ['//evil.example/a', '/evil.example/a'],
    ['/\\evil.example', '/%5Cevil.example'],
    ['/a?b=//c', '/a?b=//c'],
  ])('and back, never to another host: %s', async (target, location) => {
    const { browser } = await serve()
    await signIn(browser, `${site.url}/`)
    // The provider knows the user now, so that one round leads back.
    browser.cookies.get('127.0.0.1')!.delete('oauth2_test')
    const response = await exchange(site.middleware!, { target, authority: new URL(site.url).host })
    const url = response.fields.get('location')!
    const jar = browser.cookies.get('127.0.0.1')!
    const [name = '', value = ''] = response.fields.get('set-cookie')!.split(';')[0]!.split('=')
    jar.set(name, value)
    const page = await browser.open(url)
    expect(browser.visited.at(-1)).toBe(site.url + location)
    expect(page.status).toBe(200)
  })
})

describe('conformance', () => {
  middlewareConformance(definition, {
    properties: () => properties({ pathFilter: '^/private' }),
    passing: () => ({ target: '/public' }),
    refused: { input: () => ({ target: '/private' }), status: 302 },
  })
})

test.each([
  [{ authURL: 'nowhere' }, 'authURL must be a URL'],
  [{ tokenURL: 'file:///x' }, 'tokenURL must be a URL'],
  [{ redirectURL: 'x' }, 'redirectURL must be a URL'],
  [{ pathFilter: '(' }, 'pathFilter is not a regular expression of RE2'],
  [{ authHeaderName: 'a b' }, 'authHeaderName is no name of a header'],
])('%j cannot be used', async (more, message) => {
  await expect(createForTest(definition, { properties: properties(more as never) })).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message),
  })
})
