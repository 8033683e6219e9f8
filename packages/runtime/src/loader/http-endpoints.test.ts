import { generateKeyPairSync } from 'node:crypto'
import { createAuthority } from '@outrigger/security/authority'
import { beforeAll, describe, expect, test } from 'vitest'
import { secretDefinition, setup, yaml } from '../../test/support/loading.ts'
import { StartupError } from '../config/startup-error.ts'
import type { HttpEndpointResource } from '../resources/model.ts'
import { readResources } from '../resources/read.ts'
import { loadEndpoints } from './http-endpoints.ts'
import { loadComponents } from './load.ts'

const secret = 'sesame-open'

async function load(
  spec: string,
  { env = {}, auth = '' }: { env?: Record<string, string>; auth?: string } = {},
) {
  const secrets = { token: { token: secret, bad: `${secret}\n` }, grün: { grün: 'grün' } }
  const { options, logger } = await setup([yaml('vault', 'secretstores.test')], {
    definitions: [secretDefinition(secrets)],
  })
  const { loaded } = await loadComponents(options)
  const text = `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: api}\nspec:\n  baseUrl: https://api.example.com\n${spec}${auth}`
  const { resources, problems } = await readResources({ paths: [], inline: [text], appId: 'app' })
  expect(problems.filter(({ severity }) => severity !== 'warn')).toEqual([])
  const context = { ...options.context, env }
  const tools = {
    context,
    random: options.random,
    logger,
    components: loaded,
    signal: new AbortController().signal,
  }
  const made = loadEndpoints(resources as HttpEndpointResource[], tools)
  const lines = await made.then(
    () => [],
    (error: unknown) => {
      expect(error).toBeInstanceOf(StartupError)
      return (error as StartupError).lines
    },
  )
  return { lines, warnings: logger.warnings(), settings: lines.length === 0 ? (await made)[0]! : undefined }
}

describe('the header fields of an HTTPEndpoint', () => {
  test('come from where they are', async () => {
    const spec = `  headers:
  - {name: Accept, value: text/plain}
  - {name: Authorization, secretKeyRef: {name: token}}
  - {name: X-Region, envRef: REGION}
  - {name: X-Word, secretKeyRef: {name: grün}}
`
    const { settings, warnings } = await load(spec, {
      env: { REGION: 'eu' },
      auth: 'auth: {secretStore: vault}\n',
    })
    expect(warnings).toEqual([])
    expect(settings).toEqual({
      name: 'api',
      baseUrl: 'https://api.example.com',
      headers: ['accept', 'text/plain', 'authorization', secret, 'x-region', 'eu', 'x-word', 'grÃ¼n'],
      tls: undefined,
    })
  })

  test('that are empty for want of a variable, or there twice, are warned of', async () => {
    const spec = '  headers:\n  - {name: A, envRef: NONE}\n  - {name: B, value: 1}\n  - {name: B, value: 2}\n'
    const { settings, warnings } = await load(spec)
    expect(settings?.headers).toEqual(['a', '', 'b', '2', 'b', '2'])
    expect(warnings).toEqual([
      expect.stringMatching(
        /:7: HTTPEndpoint "api": spec\.headers\.A is empty, as the variable NONE is not set$/,
      ),
      expect.stringMatching(/:9: HTTPEndpoint "api": spec\.headers\.B is there twice: the last one counts$/),
    ])
  })

  test.each([
    [
      '{name: A, secretKeyRef: {name: none}}',
      'auth: {secretStore: vault}\n',
      'spec.headers.A needs the secret "none"',
    ],
    [
      '{name: A, secretKeyRef: {name: token}}',
      'auth: {secretStore: other}\n',
      'the secret store "other" is not among the resources',
    ],
    [
      '{name: A, secretKeyRef: {name: token}}',
      '',
      'spec.headers.A needs the secret "token", and auth.secretStore does not say which secret store has it',
    ],
    [
      '{name: A, envRef: DAPR_API_TOKEN}',
      '',
      'spec.headers.A has an envRef to DAPR_API_TOKEN, which components may not read',
    ],
    [
      '{name: A, secretKeyRef: {name: token, key: bad}}',
      'auth: {secretStore: vault}\n',
      'spec.headers.A has a character that no header field can hold',
    ],
    ['{name: A, value: "x\\r\\nB: y"}', '', 'spec.headers.A has a character that no header field can hold'],
  ])('%s is an error', async (header, auth, message) => {
    const { lines } = await load(`  headers:\n  - ${header}\n`, { auth })
    expect(lines).toEqual([expect.stringMatching(/:7: HTTPEndpoint "api": spec\.headers\.A /)])
    expect(lines[0]).toContain(message)
    expect(lines[0]).not.toContain(secret)
  })
})

describe('the TLS of an HTTPEndpoint', () => {
  let certificate: string
  let key: string
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })
  beforeAll(async () => {
    const options = { trustDomain: 'localhost', namespace: 'default', now: Date.now(), clockSkewMs: 0 }
    const authority = await createAuthority(options)
    certificate = authority.issuerChain
    key = authority.issuerKey
  })
  const tls = (items: Record<string, string>): string =>
    `  clientTLS: ${JSON.stringify(Object.fromEntries(Object.entries(items).map(([name, value]) => [name, { value }])))}\n`

  test('is what the resource says', async () => {
    const spec = tls({ rootCA: certificate, certificate, privateKey: key })
    expect((await load(spec)).settings?.tls).toEqual({ ca: certificate, cert: certificate, key })
    expect((await load(tls({ rootCA: certificate }))).settings?.tls).toEqual({ ca: certificate })
    expect((await load('  clientTLS: {}\n')).settings?.tls).toBeUndefined()
  })

  test.each([
    ['a root that is none', () => ({ rootCA: 'nonsense' }), ['rootCA is no certificate in PEM']],
    ['one that is empty', () => ({ rootCA: '' }), ['rootCA is no certificate in PEM']],
    [
      'certificate and key that are none',
      () => ({ certificate: 'x', privateKey: 'y' }),
      ['certificate is no certificate in PEM', 'privateKey is no private key in PEM'],
    ],
    [
      'a key of another certificate',
      () => ({ certificate, privateKey: String(other) }),
      ['privateKey does not belong to the first certificate of spec.clientTLS.certificate'],
    ],
  ])('%s is an error', async (_, items, messages) => {
    const { lines } = await load(tls(items() as Record<string, string>))
    expect(lines).toEqual(
      messages.map((text) => expect.stringContaining(`:6: HTTPEndpoint "api": spec.clientTLS.${text}`)),
    )
  })
})
