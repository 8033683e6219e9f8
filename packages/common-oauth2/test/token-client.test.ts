import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort, virtualClock, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { clientScopes, createTokenClient, fetchJson, httpUrl } from '../src/index.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

/** A token endpoint that answers what it is told to, after it wrote down what it was asked. */
async function endpoint(
  answer: (asked: Asked) => { status?: number; body: string; location?: string } | undefined,
) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    asked.push({ authorization: request.headers.authorization, form })
    const { status = 200, body, location } = answer(asked.at(-1)!) ?? {}
    if (body === undefined) return
    response.writeHead(status, location === undefined ? {} : { location }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token` }
}

const grant = [['grant_type', 'client_credentials']] as const
const given = (more: object = {}) => ({ body: JSON.stringify({ access_token: 'abc', ...more }) })

function client(tokenUrl: string, authStyle: 'auto' | 'body' | 'basic' = 'auto', clock = virtualClock()) {
  return createTokenClient({ tokenUrl, clientId: 'a b', clientSecret: 'p:w%', authStyle, clock })
}

const basic = `Basic ${Buffer.from('a+b:p%3Aw%25').toString('base64')}`

test.each([
  [{}, { accessToken: 'abc', type: 'Bearer', expiresInMs: undefined }],
  [
    { token_type: 'bearer', expires_in: 60 },
    { accessToken: 'abc', type: 'Bearer', expiresInMs: 60_000 },
  ],
  [
    { token_type: 'MAC', expires_in: '60' },
    { accessToken: 'abc', type: 'MAC', expiresInMs: 60_000 },
  ],
  [
    { token_type: 'DPoP', expires_in: 0 },
    { accessToken: 'abc', type: 'DPoP', expiresInMs: undefined },
  ],
  [
    { token_type: 'a\nb', expires_in: 'x' },
    { accessToken: 'abc', type: 'Bearer', expiresInMs: undefined },
  ],
])('%j is %j', async (answer, token) => {
  const { url } = await endpoint(() => given(answer))
  expect(await client(url).request(grant)).toEqual(token)
})

test('finds out how the server wants to see who asks, once', async () => {
  const inBody = await endpoint(({ form }) =>
    form['client_secret'] === 'p:w%' ? given() : { status: 401, body: '{"error":"invalid_client"}' },
  )
  const finding = client(inBody.url)
  await finding.request(grant)
  await finding.request(grant)
  expect(inBody.asked).toEqual([
    { authorization: basic, form: { grant_type: 'client_credentials' } },
    {
      authorization: undefined,
      form: { grant_type: 'client_credentials', client_id: 'a b', client_secret: 'p:w%' },
    },
    {
      authorization: undefined,
      form: { grant_type: 'client_credentials', client_id: 'a b', client_secret: 'p:w%' },
    },
  ])
  const inHeader = await endpoint(() => given())
  await client(inHeader.url).request(grant)
  expect(inHeader.asked).toHaveLength(1)
})

test.each(['body', 'basic'] as const)('asks in one way where that is said: %s', async (style) => {
  const { url, asked } = await endpoint(() => ({ status: 401, body: '{"error":"invalid_client"}' }))
  await expect(client(url, style).request(grant)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect(asked).toHaveLength(1)
  expect(asked[0]!.authorization).toBe(style === 'basic' ? basic : undefined)
})

test.each([
  [
    400,
    '{"error":"invalid_scope","error_description":"no such scope"}',
    'UNAUTHENTICATED',
    'invalid_scope: no such scope',
  ],
  [200, '{"access_token":""}', 'UNAUTHENTICATED', 'status 200 and no token'],
  [200, '{"access_token":"a\\r\\nx: y"}', 'UNAUTHENTICATED', 'status 200 and no token'],
  [200, '<html>', 'UNAUTHENTICATED', 'status 200 and no token'],
  [200, 'null', 'UNAUTHENTICATED', 'status 200 and no token'],
  [503, 'busy', 'UNAVAILABLE', 'status 503'],
  [200, 'x'.repeat(1024 * 1024 + 1), 'UNAVAILABLE', 'longer than 1048576 bytes'],
])('status %i is an error that says why', async (status, body, code, message) => {
  const { url } = await endpoint(() => ({ status, body }))
  const error = (await client(url)
    .request(grant)
    .catch((thrown: unknown) => thrown)) as Error
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
  expect(error.message).not.toContain('p:w%')
})

test('an error shows neither the secret, though the server repeats it, nor the query of the address', async () => {
  const { url } = await endpoint(({ authorization = '', form }) => ({
    status: 401,
    body: JSON.stringify({
      error: 'invalid_client',
      error_description: `not p:w% p%3Aw%25 ${authorization} ${form['client_secret']} ${'p:w%'.repeat(60)}`,
    }),
  }))
  for (const style of ['body', 'basic'] as const) {
    const error = (await client(`${url}?key=sesame`, style)
      .request(grant)
      .catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toContain(`${url} gives no token: invalid_client: not *** ***`)
    expect(error.message).not.toMatch(/p:w|p%3A|sesame/)
    expect(error.message).not.toContain(basic.slice('Basic '.length))
  }
  const gone = `http://127.0.0.1:${await freePort()}/token`
  const error = (await client(`${gone}?key=sesame`)
    .request(grant)
    .catch((thrown: unknown) => thrown)) as Error
  expect(error.message).toContain(`${gone} cannot be reached`)
  expect(error.message).not.toContain('sesame')
})

test('a secret does not follow a redirect', async () => {
  const other = await endpoint(() => given())
  const { url } = await endpoint(() => ({ status: 307, body: '', location: other.url }))
  await expect(client(url).request(grant)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect(other.asked).toEqual([])
})

test('who does not answer, is not there, or is not wanted any more', async () => {
  const silent = await endpoint(() => undefined)
  const clock = virtualClock()
  const late = client(silent.url, 'basic', clock).request(grant)
  await waitFor(() => silent.asked.length === 1)
  await Promise.all([
    expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' }),
    clock.advance(30_000),
  ])
  expect(clock.pending).toBe(0)

  const controller = new AbortController()
  const given = client(silent.url, 'basic').request(grant, controller.signal)
  controller.abort()
  await expect(given).rejects.toMatchObject({ code: 'CANCELLED' })

  const nobody = client(`http://127.0.0.1:${await freePort()}/token`).request(grant)
  await expect(nobody).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

test('JSON of any status', async () => {
  const { url } = await endpoint(() => ({ status: 404, body: '{"a":1}' }))
  expect(await fetchJson(url, { clock: virtualClock() })).toEqual({ status: 404, value: { a: 1 } })
})

test.each([
  [undefined, undefined],
  ['', undefined],
  ['a,b', 'a b'],
  [' a  b ', 'a b'],
])('the scopes %j are sent as %j', (text, sent) => expect(clientScopes(text)).toBe(sent))

test('URLs', () => {
  expect(httpUrl('tokenURL', 'https://a/b').href).toBe('https://a/b')
  for (const text of ['', 'a', 'file:///etc/passwd', 'javascript:x'])
    expect(() => httpUrl('tokenURL', text)).toThrow('tokenURL must be a URL of http or https')
  for (const text of ['https://me:sesame@a/b', 'https://sesame@a/b', 'ftp://me:sesame@a/b'])
    expect(() => httpUrl('tokenURL', text)).toThrow(/^tokenURL (?!.*sesame)/)
})
