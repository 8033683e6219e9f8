import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfiguration } from './configuration.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function read(texts: readonly string[], env: Record<string, string> = {}) {
  const paths = texts.map((_, index) => join(folder, `${index}.yaml`))
  await Promise.all(texts.map((text, index) => writeFile(paths[index]!, text)))
  const { configuration, problems } = await readConfiguration(paths, env)
  return {
    configuration,
    lines: problems.map(({ severity, message }) => `${severity} ${message.replaceAll(`${folder}/`, '')}`),
  }
}

const spec = (text: string) =>
  `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n${text.replaceAll(/^/gm, '  ')}\n`

describe('what is used', () => {
  test('without any file', async () => {
    expect((await read([])).configuration).toEqual({
      secretScopes: [],
      apiAccess: { allowed: [], denied: [] },
      apiLogging: { enabled: false, obfuscateUrls: false, omitHealthChecks: false },
      deniedComponents: [],
      features: [],
      metricsEnabled: true,
      strictSandbox: false,
      nameResolution: undefined,
      accessControl: undefined,
      mtls: undefined,
      httpPipeline: [],
      appHttpPipeline: [],
      modules: {},
      packageScopes: ['@outrigger'],
    })
  })

  test('every section', async () => {
    const { configuration, lines } = await read([
      `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: c
  annotations:
    modules.outrigger.dev/state.redis: "@acme/redis"
    outrigger.dev/scopes: "@acme, @outrigger"
spec:
  secrets:
    scopes:
      - storeName: vault
        defaultAccess: Deny
        allowedSecrets: [a, 1]
  api:
    allowed:
      - {name: state, version: v1.0, protocol: HTTP}
    denied:
      - {name: bindings}
  logging:
    apiLogging: {enabled: true, obfuscateURLs: true}
  wasm: {strictSandbox: true}
  components:
    deny: [bindings.smtp, State.Redis/v1]
  features:
    - {name: B, enabled: true}
    - {name: A, enabled: true}
    - {name: C, enabled: false}
`,
    ])
    expect(lines).toEqual([])
    expect(configuration).toEqual({
      secretScopes: [
        { storeName: 'vault', defaultAccess: 'deny', allowedSecrets: ['a', '1'], deniedSecrets: [] },
      ],
      apiAccess: {
        allowed: [{ name: 'state', version: 'v1.0', protocol: 'http' }],
        denied: [{ name: 'bindings', version: undefined, protocol: undefined }],
      },
      apiLogging: { enabled: true, obfuscateUrls: true, omitHealthChecks: false },
      deniedComponents: ['bindings.smtp', 'state.redis/v1'],
      features: ['A', 'B'],
      metricsEnabled: true,
      strictSandbox: true,
      nameResolution: undefined,
      accessControl: undefined,
      mtls: undefined,
      httpPipeline: [],
      appHttpPipeline: [],
      modules: { 'state.redis': '@acme/redis' },
      packageScopes: ['@acme', '@outrigger'],
    })
  })

  test('later files win, section by section', async () => {
    const { configuration } = await read([
      spec('features: [{name: A, enabled: true}]\ncomponents: {deny: [a.b]}'),
      spec('features: [{name: B, enabled: true}]'),
    ])
    expect(configuration).toMatchObject({ features: ['B'], deniedComponents: ['a.b'] })
  })

  test('a later file adds fields to a section, and takes none back', async () => {
    const { configuration, lines } = await read([
      spec(
        `api: {denied: [{name: state}]}
logging: {apiLogging: {enabled: true}}
accessControl: {policies: [{appId: a, namespace: n, trustDomain: t}]}
mtls: {enabled: true}
httpPipeline: {handlers: [{name: up, type: middleware.http.uppercase}]}`,
      ),
      spec(
        `api: {allowed: [{name: secrets}]}
logging: {apiLogging: {obfuscateURLs: true}}
accessControl: {defaultAction: allow}
mtls: {sentryAddress: "sentry:1"}
httpPipeline: {}`,
      ),
      spec('api: {denied: [{name: invoke}]}\naccessControl: {trustDomain: home}'),
    ])
    expect(lines).toEqual([])
    const { apiAccess, apiLogging, accessControl, mtls, httpPipeline } = configuration
    expect(apiAccess).toMatchObject({ allowed: [{ name: 'secrets' }], denied: [{ name: 'invoke' }] })
    expect(apiLogging).toEqual({ enabled: true, obfuscateUrls: true, omitHealthChecks: false })
    expect(accessControl).toMatchObject({
      defaultAction: 'allow',
      trustDomain: 'home',
      policies: [{ appId: 'a' }],
    })
    expect(mtls).toEqual({ enabled: true, sentryAddress: 'sentry:1', controlPlaneTrustDomain: undefined })
    expect(httpPipeline).toMatchObject([{ name: 'up' }])
  })

  test('variables, and a file without kind', async () => {
    const text = 'spec:\n  components:\n    deny: ["$TYPE", "${TYPE}/v1", "x$", "$NONE"]\n'
    const { configuration, lines } = await read([text], { TYPE: 'state.x' })
    expect(configuration.deniedComponents).toEqual(['state.x', 'state.x/v1', 'x$', ''])
    expect(lines).toEqual(['warn 0.yaml:3: the variable NONE is not set and becomes empty'])
  })
})

describe('what is not built yet', () => {
  test.each([
    [
      'tracing: {samplingRate: "1"}',
      'warn 0.yaml:6: Configuration "c": spec.tracing has no effect: tracing is not built yet: nothing is exported',
    ],
    [
      'metric: {enabled: true, rules: []}',
      'warn 0.yaml:6: Configuration "c": spec.metric.rules has no effect: metrics of requests and workflows are not built yet',
    ],
  ])('%s', async (text, line) => {
    expect((await read([spec(text)])).lines).toEqual([line])
  })

  test('is not asked for by its own absence', async () => {
    const text =
      'metric: {enabled: false}\nmtls: {enabled: false}\naccessControl: {defaultAction: allow}\nhttpPipeline: {handlers: []}\ntracing: {}'
    expect((await read([spec(text)])).lines).toEqual([])
  })
})

describe('what is wrong is fatal', () => {
  test.each([
    [
      spec('secrets: {scopes: [{storeName: a, defaultAccess: no-way}]}'),
      'fatal 0.yaml:6: Configuration "c": spec.secrets.scopes[0].defaultAccess must be allow or deny',
    ],
    [
      spec('secrets: {scopes: [{storeName: a}, {storeName: a}]}'),
      'fatal 0.yaml:6: Configuration "c": spec.secrets.scopes[1].storeName "a" is there twice: put both lists into one scope',
    ],
    [
      spec('api: {denied: [{version: v1.0}]}'),
      'fatal 0.yaml:6: Configuration "c": spec.api.denied[0].name is missing: name the building block, such as state',
    ],
    [
      spec('secrts: {}'),
      'warn 0.yaml:6: Configuration "c": spec.secrts is not a known key and has no effect (did you mean secrets?)',
    ],
    [
      'spec: {',
      /^fatal 0\.yaml:1: \(column \d+\) wrong indentation \(.*\), or a bracket is not closed; this document is left out$/,
    ],
    [
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: x}\nspec: {type: state.x}',
      'warn 0.yaml:1: kind Component has no effect in a file of --config: use --resources-path',
    ],
    [
      spec('{}').replace('name: c', 'name: c\n  annotations: {modules.outrigger.dev/state.x: ../x}'),
      'fatal 0.yaml:1: Configuration "c": metadata.annotations["modules.outrigger.dev/state.x"] "../x" is no package name: write one such as @acme/state-redis',
    ],
  ])('%#', async (text, line) => {
    expect((await read([text])).lines).toEqual([
      typeof line === 'string' ? line : expect.stringMatching(line),
    ])
  })

  test('a file that is not there', async () => {
    const { problems } = await readConfiguration([join(folder, 'none.yaml')], {})
    expect(problems).toMatchObject([
      { severity: 'fatal', message: `${join(folder, 'none.yaml')}: does not exist` },
    ])
  })
})

describe('access control', () => {
  test('is read with its policies, verbs and defaults', async () => {
    const text =
      'accessControl:\n  trustDomain: Home\n  policies:\n    - {appId: a, namespace: n, trustDomain: hoMe, defaultAction: Deny, operations: [{name: /x/*, httpVerb: [get, "*"], action: allow}]}'
    const { configuration, lines } = await read([spec(text)])
    expect(configuration.accessControl).toEqual({
      defaultAction: 'deny',
      trustDomain: 'home',
      policies: [
        {
          appId: 'a',
          namespace: 'n',
          trustDomain: 'home',
          defaultAction: 'deny',
          operations: [{ name: '/x/*', verbs: ['GET', '*'], action: 'allow' }],
        },
      ],
    })
    expect(lines).toEqual([
      'warn 0.yaml:7: Configuration "c": spec.accessControl.defaultAction is missing: what no policy decides is denied',
    ])
  })

  test.each([
    [
      'accessControl: {defaultAction: maybe}',
      'fatal 0.yaml:6: Configuration "c": spec.accessControl.defaultAction must be allow or deny',
    ],
    [
      'accessControl: {policies: [{appId: a}]}',
      'fatal 0.yaml:6: Configuration "c": spec.accessControl.policies[0].namespace is missing: name the namespace of the application that calls',
    ],
    [
      'accessControl: {policies: [{appId: a, namespace: n, trustDomain: t, operations: [{name: /x}]}]}',
      'fatal 0.yaml:6: Configuration "c": spec.accessControl.policies[0].operations[0].action is missing: allow or deny',
    ],
  ])('%s', async (text, line) => {
    expect((await read([spec(text)])).lines).toEqual([line])
  })
})

test('name resolution is read with the lines of its configuration', async () => {
  const text =
    'nameResolution:\n  component: SQLite\n  version: v1\n  configuration:\n    connectionString: /x.db\n    list: [1, a]'
  const { configuration } = await read([spec(text)])
  expect(configuration.nameResolution).toEqual({
    component: 'sqlite',
    version: 'v1',
    configuration: [
      { name: 'connectionString', value: '/x.db', line: 10 },
      { name: 'list', value: '[1,"a"]', line: 11 },
    ],
    source: { file: expect.stringMatching(/0\.yaml$/), line: 7 },
  })
  expect((await read([spec('nameResolution: {}')])).configuration.nameResolution).toBeUndefined()
})

test('mutual TLS is read as far as sidecars need it', async () => {
  const text = 'mtls: {enabled: true, sentryAddress: "s:1", workloadCertTTL: 1h}'
  expect((await read([spec(text)])).configuration.mtls).toEqual({
    enabled: true,
    sentryAddress: 's:1',
    controlPlaneTrustDomain: undefined,
  })
})
