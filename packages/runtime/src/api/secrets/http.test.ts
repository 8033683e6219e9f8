import { ComponentError, type Secret, type SecretStore } from '@outrigger/spec'
import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import type { SecretScope } from '../../config/configuration.ts'
import { SecretsHandler } from './handler.ts'
import { secretsRoutes } from './http.ts'

const secrets: Readonly<Record<string, Secret>> = {
  a: { user: 'me', word: 'sesame' },
  b: { b: '2' },
  'x/y': { z: '3' },
}

const store: SecretStore = {
  capabilities: new Set(),
  async get({ name }) {
    if (name === 'broken') throw new ComponentError('UNAVAILABLE', 'the vault is closed')
    if (name === 'leaky') throw new Error('token=sesame')
    return secrets[name]
  },
  bulkGet: async () => secrets,
  async close() {},
}

function setUp(scopes: readonly SecretScope[] = [], stores = new Map([['vault', { instance: store }]])) {
  const logger = recordingLogger()
  const api = apiOf(secretsRoutes(new SecretsHandler(stores, scopes, logger)))
  return { logger, get: (path: string) => ask(api, { target: `/v1.0/secrets/${path}` }) }
}

test('one secret, and all', async () => {
  const { get } = setUp()
  const one = await get('vault/a')
  expect([one.status, JSON.parse(one.text)]).toEqual([200, secrets['a']])
  expect(JSON.parse((await get('vault/x%2Fy')).text)).toEqual({ z: '3' })
  expect(JSON.parse((await get('vault/bulk')).text)).toEqual(secrets)
})

test.each([
  ['another/a', 401, 'ERR_SECRET_STORE_NOT_FOUND'],
  ['vault/none', 500, 'ERR_SECRET_GET'],
  ['vault/broken', 500, 'ERR_SECRET_GET'],
])('%s: %i %s', async (path, status, code) => {
  const answer = await setUp().get(path)
  expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([status, code])
})

test('what a store should not throw stays in the log', async () => {
  const { get, logger } = setUp()
  expect((await get('vault/leaky')).text).not.toContain('sesame')
  expect(logger.messages('error')).toEqual(['reading a secret failed'])
})

test('without any store that is what is said', async () => {
  const answer = await setUp([], new Map()).get('vault/a')
  expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([
    500,
    'ERR_SECRET_STORES_NOT_CONFIGURED',
  ])
})

const scope = (more: Partial<SecretScope>): SecretScope => ({
  storeName: 'VAULT',
  defaultAccess: 'allow',
  allowedSecrets: [],
  deniedSecrets: [],
  ...more,
})

test.each([
  [
    'the allowed list alone, where there is one',
    scope({ allowedSecrets: ['a'], deniedSecrets: ['a'] }),
    ['a'],
  ],
  ['the denied list then', scope({ deniedSecrets: ['a'] }), ['b', 'x/y']],
  ['the default then', scope({ defaultAccess: 'deny' }), []],
])('%s decides, for one and for all', async (_, limits, names) => {
  const { get } = setUp([limits])
  for (const name of Object.keys(secrets)) {
    const answer = await get(`vault/${encodeURIComponent(name)}`)
    expect(answer.status).toBe(names.includes(name) ? 200 : 403)
    if (answer.status === 403) expect(JSON.parse(answer.text).errorCode).toBe('ERR_PERMISSION_DENIED')
  }
  expect(Object.keys(JSON.parse((await get('vault/bulk')).text))).toEqual(names)
})
