import { Browser, startOidcProvider } from '@outrigger/services'
import { freePort } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, component, endApps, endSidecars } from '../../src/index.ts'
import { sidecarBehind } from './setup.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

test('a user signs in at a real provider, in front of two sidecars that know of the session', async () => {
  const app = await App.start({
    '*': ({ headers, path }) => ({ body: { path, authorization: headers.authorization } }),
  })
  const callback = `http://127.0.0.1:${await freePort()}/v1.0/invoke/shop/method/signed-in`
  const provider = await startOidcProvider([
    {
      client_id: 'shop',
      client_secret: 'secret',
      redirect_uris: [callback],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ])
  onTestFinished(() => provider.stop())
  const options = {
    appId: 'shop',
    appPort: app.port,
    // Tokens and cookies need more than the 4 KiB that are the default.
    flags: ['--read-buffer-size=16Ki', `--dapr-http-port=${new URL(callback).port}`],
    resources: component('login', 'middleware.http.oauth2', {
      metadata: {
        clientID: 'shop',
        clientSecret: 'secret',
        scopes: 'openid read',
        authURL: `${provider.issuer}/auth`,
        tokenURL: `${provider.issuer}/token`,
        redirectURL: callback,
        pathFilter: '^/v1\\.0/invoke/',
      },
    }),
  }
  await sidecarBehind({ login: 'oauth2' }, {}, options)
  const browser = new Browser()
  const login = await browser.open(`${new URL(callback).origin}/v1.0/invoke/shop/method/orders`)
  expect(new URL(login.url).origin).toBe(provider.issuer)
  const page = await browser.submit(await browser.submit(login, { login: 'ada', password: 'x' }))
  const seen = JSON.parse(page.text) as Record<string, string>
  expect([page.status, seen['path']]).toEqual([200, '/orders'])
  expect(seen['authorization']).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)

  const other = await sidecarBehind(
    { login: 'oauth2' },
    {},
    { ...options, flags: ['--read-buffer-size=16Ki'] },
  )
  const again = await browser.open(`${other.url}/v1.0/invoke/shop/method/more`)
  expect(JSON.parse(again.text)).toEqual({ ...seen, path: '/more' })
  expect((await fetch(`${other.url}/v1.0/invoke/shop/method/more`, { redirect: 'manual' })).status).toBe(302)
})
