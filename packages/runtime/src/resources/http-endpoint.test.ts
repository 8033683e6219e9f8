import { describe, expect, test } from 'vitest'
import { readResources } from './read.ts'

async function read(spec: string, rest = '') {
  const text = `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata:\n  name: api\nspec:\n${spec}${rest}`
  const { resources, problems } = await readResources({ paths: [], inline: [text], appId: 'app' })
  return { resources, lines: problems.map(({ severity, message }) => `${severity} ${message}`) }
}

const url = '  baseUrl: https://api.example.com/v1?key=1\n'

describe('an HTTPEndpoint', () => {
  test('that needs nothing but a URL', async () => {
    const { resources, lines } = await read(url)
    expect(lines).toEqual([])
    expect(resources).toMatchObject([
      { kind: 'HTTPEndpoint', name: 'api', baseUrl: 'https://api.example.com/v1?key=1', headers: [] },
    ])
  })

  test('with everything', async () => {
    const spec = `${url}  headers:
  - {name: Accept, value: text/plain}
  - {name: X-Number, value: 7}
  - name: Authorization
    secretKeyRef: {name: token, key: bearer}
  - {name: X-Region, envRef: REGION}
  clientTLS:
    rootCA: {secretKeyRef: {name: ca, key: ca.crt}}
    certificate: {value: CERT}
    privateKey: {envRef: KEY}
    renegotiation: RenegotiateNever
`
    const { resources, lines } = await read(spec, 'auth: {secretStore: vault}\nscopes: [app]\n')
    expect(lines).toEqual([])
    expect(resources).toMatchObject([
      {
        headers: [
          { name: 'Accept', value: 'text/plain', line: 8 },
          { name: 'X-Number', value: '7', line: 9 },
          { name: 'Authorization', secretKeyRef: { name: 'token', key: 'bearer' }, line: 10 },
          { name: 'X-Region', envRef: 'REGION', line: 12 },
        ],
        tls: {
          rootCa: { name: 'clientTLS.rootCA', secretKeyRef: { name: 'ca', key: 'ca.crt' } },
          certificate: { name: 'clientTLS.certificate', value: 'CERT' },
          privateKey: { name: 'clientTLS.privateKey', envRef: 'KEY' },
        },
        secretStore: 'vault',
        scopes: ['app'],
      },
    ])
  })

  test('of other applications is left out', async () => {
    expect((await read(url, 'scopes: [other]\n')).resources).toEqual([])
  })

  test.each([
    ['', ': spec is missing: an HTTPEndpoint needs spec.baseUrl'],
    ['  headers: []\n', ': spec.baseUrl is missing: where requests go, such as https://api.example.com'],
    ['  baseUrl: api.example.com\n', ': spec.baseUrl must be a URL that begins with http:// or https://'],
    ['  baseUrl: ftp://example.com\n', ': spec.baseUrl must be a URL that begins with http:// or https://'],
    ['  baseUrl: "https://"\n', ': spec.baseUrl must be a URL that begins with http:// or https://'],
    [
      `${url}  headers: [{value: x}]\n`,
      ': spec.headers[0].name is missing: each item of spec.headers has a name and a value',
    ],
    [
      `${url}  headers: [{name: "a b", value: x}]\n`,
      ': spec.headers[0].name must be the name of a header field',
    ],
    [
      `${url}  clientTLS: {certificate: {value: C}}\n`,
      ': spec.clientTLS.privateKey is missing: both belong together',
    ],
    [
      `${url}  clientTLS: {privateKey: {value: K}}\n`,
      ': spec.clientTLS.certificate is missing: both belong together',
    ],
    [`${url}  clientTLS: yes\n`, ': spec.clientTLS must be a map, not'],
  ])('%j is left out', async (spec, message) => {
    const { resources, lines } = await read(spec)
    expect(resources).toEqual([])
    expect(lines).toEqual([expect.stringMatching(/^skip .*:\d+: HTTPEndpoint "api"/)])
    expect(lines[0]).toContain(message)
  })

  test.each([
    [
      `${url}  headers: [{name: A, value: x, envRef: Y}]\n`,
      'has more than one of value, secretKeyRef and envRef: value is used',
    ],
    [`${url}  clientTLS: {renegotiation: RenegotiateFreely}\n`, 'spec.clientTLS.renegotiation has no effect'],
    [`${url}  baseURI: x\n`, 'spec.baseURI is not a known key and has no effect (did you mean baseUrl?)'],
  ])('%j is used with a warning', async (spec, message) => {
    const { resources, lines } = await read(spec)
    expect(resources).toHaveLength(1)
    expect(lines).toEqual([expect.stringMatching(/^warn /)])
    expect(lines[0]).toContain(message)
  })
})
