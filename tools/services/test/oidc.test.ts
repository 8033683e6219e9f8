import { expect, onTestFinished, test } from 'vitest'
import { Browser, startOidcProvider } from '../src/index.ts'

test('a user signs in with a browser, agrees, and comes back with a code', async () => {
  const redirect = 'http://127.0.0.1:1/callback'
  const provider = await startOidcProvider([
    {
      client_id: 'shop',
      client_secret: 'secret',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ])
  onTestFinished(() => provider.stop())
  const browser = new Browser()
  const query = new URLSearchParams({
    client_id: 'shop',
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'openid',
  })
  const login = await browser.open(`${provider.issuer}/auth?${query}`)
  const consent = await browser.submit(login, { login: 'ada', password: 'x' })
  // Nobody listens where it leads to.
  await expect(browser.submit(consent)).rejects.toThrow()
  expect(browser.visited.at(-1)).toMatch(/^http:\/\/127\.0\.0\.1:1\/callback\?code=[\w-]+&iss=/)
})
