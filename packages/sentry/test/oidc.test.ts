import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@outrigger/host'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { createClient } from '@outrigger/wire'
import { createRemoteJWKSet, exportJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createSentry, type OidcOptions, type SentryOptions, type TokenOptions } from '../src/index.ts'
import { caller, goodRequest, hour, open, optionsIn, startSentry, temp, type Running } from './setup.ts'

interface Own {
  readonly tokens?: Partial<TokenOptions>
  readonly oidc?: Partial<OidcOptions>
}

const options = (folder: string, own: Own): Pick<SentryOptions, 'tokens' | 'oidc'> => ({
  tokens: {
    keyFile: join(folder, 'jwt.key'),
    keySetFile: join(folder, 'jwks.json'),
    issuer: undefined,
    algorithm: 'RS256',
    keyId: undefined,
    ttlMs: hour,
    ...own.tokens,
  },
  oidc: {
    listen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    keySetUri: undefined,
    pathPrefix: '',
    allowedHosts: [],
    ...own.oidc,
  },
})

async function start(own: Own = {}): Promise<Running & { readonly host: string }> {
  const folder = await temp()
  const running = await startSentry({ folder, ...options(folder, own) })
  return { ...running, host: `127.0.0.1:${running.sentry.addresses.oidc!.port}` }
}

describe('the keys of the tokens', () => {
  it('are shown to everybody, so that anybody can check a token', async () => {
    const running = await start({ tokens: { issuer: 'https://issuer.example/a' } })
    const base = `http://${running.host}`
    const discovery = await (await fetch(`${base}/.well-known/openid-configuration`)).json()
    expect(discovery).toEqual({
      issuer: 'https://issuer.example/a',
      jwks_uri: 'https://issuer.example/jwks.json',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid'],
      claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'use'],
    })
    const { signCertificate } = await caller(running)
    const { jwt } = await signCertificate({ ...goodRequest(), jwtAudiences: ['vault'] })
    const keys = createRemoteJWKSet(new URL(`${base}/jwks.json`))
    const { payload } = await jwtVerify(jwt!, keys, { audience: 'vault', issuer: 'https://issuer.example/a' })
    expect(payload.sub).toBe('spiffe://public/ns/default/orders')
  })

  it('are where the one who asks can reach them', async () => {
    const { host } = await start()
    const read = async (path: string) => (await fetch(`http://${host}${path}`)).json()
    expect(await read('/.well-known/openid-configuration')).toMatchObject({
      issuer: `http://${host}`,
      jwks_uri: `http://${host}/jwks.json`,
    })
    const prefixed = await start({ oidc: { pathPrefix: '/sentry', keySetUri: 'https://cdn.example/keys' } })
    const path = `http://${prefixed.host}/sentry/.well-known/openid-configuration`
    expect(await (await fetch(path)).json()).toMatchObject({ jwks_uri: 'https://cdn.example/keys' })
    expect((await fetch(`http://${prefixed.host}/sentry/jwks.json`)).status).toBe(200)
    expect((await fetch(`http://${prefixed.host}/jwks.json`)).status).toBe(404)
    expect((await fetch(`http://${host}/jwks.json`, { method: 'POST' })).status).toBe(405)
  })

  it('are shown only under names that are allowed', async () => {
    const { host } = await start({ oidc: { allowedHosts: ['keys.example'] } })
    const client = createClient()
    const ask = async (...fields: string[]) => {
      const path = '/.well-known/openid-configuration'
      const { status, body } = await client.request({ origin: `http://${host}`, path, fields })
      return [status, Buffer.from(await body.bytes()).toString()] as const
    }
    expect((await ask())[0]).toBe(403)
    expect((await ask('host', 'keys.example'))[0]).toBe(200)
    const [status, text] = await ask('x-forwarded-host', 'keys.example')
    expect([status, JSON.parse(text).issuer]).toEqual([200, 'http://keys.example'])
    expect((await ask('host', 'keys.example', 'x-forwarded-host', 'evil.example'))[0]).toBe(403)
    client.close()
    // Where any host will do, what a client claims to have been forwarded counts for nothing.
    const any = await start()
    const claim = await fetch(`http://${any.host}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example' },
    })
    expect(await claim.json()).toMatchObject({ issuer: `http://${any.host}` })
  })

  it('are served over TLS, with a certificate that may be replaced', async () => {
    const authority = await startSentry()
    const security = await open(authority, 'issuer')
    const folder = await temp()
    const tls = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
    const write = async (): Promise<void> => {
      const { cert, key } = (await open(authority, 'issuer')).serverTls()
      await writeFile(tls.keyFile, key!)
      await writeFile(tls.certFile, cert!)
    }
    await write()
    const { host } = await start({ oidc: { tls } })
    const seen = async (): Promise<string> => {
      let print = ''
      const client = createClient({
        tls: { ca: security.trustAnchors, verifyServer: (it) => void (print = it.fingerprint256) },
      })
      const { status, body } = await client.request({ origin: `https://${host}`, path: '/jwks.json' })
      expect(status).toBe(200)
      await body.bytes()
      client.close()
      return print
    }
    const before = await seen()
    await write()
    await waitFor(async () => (await seen()) !== before)
  })
})

describe('the key of the tokens', () => {
  const context = { clock: systemClock, random: systemRandom, logger: recordingLogger() }
  const failing = async (folder: string, own: Own, message: RegExp): Promise<void> => {
    const sentry = createSentry(optionsIn(folder, options(folder, own)), context)
    await expect(sentry.start()).rejects.toThrow(message)
  }
  const write = async (folder: string, keyId: string): Promise<void> => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(join(folder, 'jwt.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const jwk = { ...(await exportJWK(publicKey)), kid: keyId }
    await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
  }

  it('may be a given one, of another kind', async () => {
    const folder = await temp()
    await write(folder, 'mine')
    const own = options(folder, { tokens: { algorithm: 'ES256', keyId: 'mine' } })
    const running = await startSentry({ folder, ...own })
    const { signCertificate } = await caller(running)
    const { jwt } = await signCertificate(goodRequest())
    const keys = createRemoteJWKSet(
      new URL(`http://127.0.0.1:${running.sentry.addresses.oidc!.port}/jwks.json`),
    )
    expect((await jwtVerify(jwt!, keys, { audience: 'public' })).protectedHeader).toMatchObject({
      kid: 'mine',
    })
  })

  it('must fit its algorithm, its id and the set of keys, and the set must not give it away', async () => {
    const folder = await temp()
    await write(folder, 'mine')
    await failing(folder, {}, /jwt\.key cannot sign with RS256: correct --jwt-signing-algorithm/)
    const es256 = { algorithm: 'ES256' }
    await failing(
      folder,
      { tokens: { ...es256, keyId: 'other' } },
      /lacks the public key of .* under the id other/,
    )
    const set = await readFile(join(folder, 'jwks.json'), 'utf8')
    await write(folder, 'mine')
    await writeFile(join(folder, 'jwks.json'), set)
    await failing(folder, { tokens: es256 }, /jwks\.json lacks the public key/)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys: [await exportJWK(privateKey)] }))
    await failing(folder, { tokens: es256 }, /holds a private key/)
    await writeFile(join(folder, 'jwks.json'), 'broken')
    await failing(folder, { tokens: es256 }, /jwks\.json is not JSON/)
    await writeFile(join(folder, 'jwt.key'), 'broken')
    await failing(folder, { tokens: es256 }, /jwt\.key has no private key/)
  })
})
