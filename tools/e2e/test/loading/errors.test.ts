import { join } from 'node:path'
import { component, endSidecars, Sidecar, type ResourcesText, type SidecarOptions } from '../../src/index.ts'
import { afterEach, describe, expect, test } from 'vitest'

afterEach(endSidecars)

const secretText = 'swordfish-4711'

/** Starts a sidecar that must refuse to start. @returns the lines that say why, each once and with its level */
async function refused(
  options: SidecarOptions,
): Promise<{ sidecar: Sidecar; fatal: string[]; errors: string[]; warnings: string[] }> {
  const sidecar = await Sidecar.launch(options)
  expect(await sidecar.child.ended(), sidecar.child.output).toBe(1)
  return { sidecar, ...complaints(sidecar) }
}

function complaints(sidecar: Sidecar): { fatal: string[]; errors: string[]; warnings: string[] } {
  const of = (level: string): string[] =>
    sidecar.log
      .filter((line) => line.includes(` level=${level} `))
      .map((line) => JSON.parse(/ msg=("(?:[^"\\]|\\.)*")/.exec(line)![1]!) as string)
  return { fatal: of('fatal'), errors: of('error'), warnings: of('warning') }
}

/** Lines as they are numbered in the file: the first is 1. */
function lineOf(text: string, part: string): number {
  const index = text.split('\n').findIndex((line) => line.includes(part))
  if (index === -1) throw new Error(`there is no ${part}`)
  return index + 1
}

const good = component('good', 'state.in-memory')

describe('one clear line with file, line, component, field and remedy', () => {
  interface Case {
    readonly name: string
    readonly text: string
    /** Part of the line of the file that the error must name. */
    readonly at: string
    readonly says: readonly (string | RegExp)[]
  }
  const bad = (name: string, text: string, at: string, ...says: (string | RegExp)[]): Case => ({
    name,
    text,
    at,
    says,
  })
  const cases: Case[] = [
    bad(
      'a component that is not installed',
      component('s', 'state.nosuch'),
      'apiVersion',
      'Component "s" (state.nosuch/v1)',
      'spec.type',
      '@outrigger/state-nosuch',
      'npm install @outrigger/state-nosuch',
    ),
    bad(
      'a kind that is none',
      component('s', 'stat.redis'),
      'apiVersion',
      'Component "s"',
      'spec.type "stat.redis"',
      'did you mean',
      'state',
    ),
    bad(
      'a component without a type',
      component('s', 'state.in-memory').replace(/ {2}type: .*\n/, ''),
      'apiVersion',
      'Component "s"',
      'spec.type is missing',
      'such as state.redis',
    ),
    bad(
      'a type that is none',
      component('s', 'state.'),
      'apiVersion',
      'Component "s"',
      'spec.type',
      'such as state.redis',
    ),
    bad(
      'a wrong version',
      component('s', 'state.in-memory', { version: 'v9' }),
      'apiVersion',
      'Component "s" (state.in-memory/v9)',
      'spec.version "v9"',
      'v1',
    ),
    bad(
      'a value that does not fit',
      component('s', 'state.sqlite', { metadata: { connectionString: 'a.db', timeout: 'soon' } }),
      'name: timeout',
      'Component "s"',
      'spec.metadata "timeout"',
      'soon',
      /duration/,
    ),
    bad(
      'a value that is too small',
      component('s', 'state.sqlite', { metadata: { connectionString: 'a.db', timeout: '1ms' } }),
      'name: timeout',
      'Component "s"',
      'spec.metadata "timeout"',
      /1s|1000|at least/,
    ),
    bad(
      'a value that is missing',
      component('s', 'secretstores.local.file', { metadata: { nestedSeparator: ':' } }),
      'apiVersion',
      'Component "s"',
      'spec.metadata "secretsFile"',
      /required|missing/,
    ),
    bad(
      'a kind of component that is not built',
      component('s', 'conversation.echo'),
      'apiVersion',
      'Component "s"',
      'spec.type conversation.echo',
      'not built yet',
      'conversation components',
      'ignoreErrors',
    ),
    bad(
      'a secret store that is not there',
      component('s', 'state.in-memory', { metadata: { keyPrefix: { secret: 'x' } }, secretStore: 'vault' }),
      'name: keyPrefix',
      'Component "s"',
      'spec.metadata "keyPrefix"',
      'the secret store "vault"',
      'auth.secretStore',
    ),
    bad(
      'a secret store that is none',
      [
        component('s', 'state.in-memory', { metadata: { keyPrefix: { secret: 'x' } }, secretStore: 'good' }),
        good,
      ].join('---\n'),
      'name: keyPrefix',
      'Component "s"',
      'spec.metadata "keyPrefix"',
      '"good"',
      'state.in-memory',
      'auth.secretStore',
    ),
    bad(
      'no secret store named',
      component('s', 'state.in-memory', { metadata: { keyPrefix: { secret: 'x' } } }),
      'name: keyPrefix',
      'Component "s"',
      'auth.secretStore',
    ),
    bad(
      'an environment variable that is out of reach',
      component('s', 'state.in-memory', { metadata: { keyPrefix: 'x' } }).replace(
        'value: "x"',
        'envRef: DAPR_API_TOKEN',
      ),
      'name: keyPrefix',
      'Component "s"',
      'spec.metadata "keyPrefix"',
      'DAPR_API_TOKEN',
    ),
  ]
  test.each(cases)('$name', async ({ text, at, says }) => {
    const { sidecar, fatal, errors } = await refused({ resources: { 'a.yaml': text } })
    expect(errors).toEqual([])
    expect(fatal).toHaveLength(1)
    const place = `${join(sidecar.resourcesPath, 'a.yaml')}:${lineOf(text, at)}: `
    expect(fatal[0]!.startsWith(place), fatal[0]).toBe(true)
    for (const part of says)
      expect(fatal[0]).toMatch(
        part instanceof RegExp ? part : new RegExp(part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')),
      )
  })

  test('several bad fields: a line for each', async () => {
    const text = component('s', 'state.sqlite', {
      metadata: { connectionString: 'a.db', timeout: 'soon', busyTimeout: 'later', disableWAL: 'perhaps' },
    })
    const { sidecar, fatal } = await refused({ resources: { 'a.yaml': text } })
    const lines = fatal.map((line) =>
      Number(line.slice(join(sidecar.resourcesPath, 'a.yaml:').length).split(':')[0]),
    )
    expect(lines.toSorted((a, b) => a - b)).toEqual(
      ['timeout', 'busyTimeout', 'disableWAL'].map((field) => lineOf(text, `name: ${field}`)),
    )
  })

  test('several bad components: every one of them', async () => {
    const { fatal } = await refused({
      resources: [
        component('a', 'state.nosuch'),
        good,
        component('b', 'conversation.echo'),
        component('c', 'state.in-memory', { version: 'v7' }),
      ],
    })
    expect(fatal).toHaveLength(3)
  })

  test('a secret that is missing, and one without the key', async () => {
    const file = [
      component('vault', 'secretstores.local.file', {
        metadata: { secretsFile: 'resources/secrets.json', multiValued: 'true' },
      }),
      component('a', 'state.in-memory', {
        metadata: { keyPrefix: { secret: 'absent' } },
        secretStore: 'vault',
      }),
      component('b', 'state.in-memory', {
        metadata: { keyPrefix: { secret: 'db', key: 'absent' } },
        secretStore: 'vault',
      }),
    ].join('---\n')
    const { sidecar, fatal } = await refused({
      resources: { 'a.yaml': file, 'secrets.json': JSON.stringify({ db: { password: secretText } }) },
    })
    expect(fatal).toHaveLength(2)
    const lines = file
      .split('\n')
      .flatMap((line, index) => (line.includes('name: keyPrefix') ? [index + 1] : []))
    const path = join(sidecar.resourcesPath, 'a.yaml')
    expect(fatal[0]).toContain(
      `${path}:${lines[0]}: Component "a" (state.in-memory/v1): spec.metadata "keyPrefix" needs the secret "absent"`,
    )
    expect(fatal[0]).toContain('correct secretKeyRef.name')
    expect(fatal[1]).toContain(
      `${path}:${lines[1]}: Component "b" (state.in-memory/v1): spec.metadata "keyPrefix" needs the secret "db"`,
    )
    expect(fatal[1]).toContain('correct secretKeyRef.key (it has password)')
    expect(sidecar.child.output).not.toContain(secretText)
  })

  test('a name that is taken, in two files', async () => {
    const { sidecar, fatal } = await refused({
      resources: {
        'a.yaml': component('same', 'state.in-memory'),
        'b.yaml': `# second\n${component('same', 'pubsub.in-memory')}`,
      },
    })
    expect(fatal).toEqual([
      `${join(sidecar.resourcesPath, 'b.yaml')}:2: Component "same": metadata.name is taken by the Component at ${join(sidecar.resourcesPath, 'a.yaml')}:1: rename one of them`,
    ])
  })

  test('a folder that is missing', async () => {
    const { fatal } = await refused({ resourcesPath: '/nowhere/resources' })
    expect(fatal).toEqual([
      '/nowhere/resources: does not exist: correct --resources-path, or create the folder',
    ])
  })

  test('a Configuration that asks for mutual TLS without saying who signs', async () => {
    const configuration =
      'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n  mtls:\n    enabled: true\n'
    const sidecar = await Sidecar.launch({
      resources: { 'a.yaml': good, 'config.yml.txt': configuration },
      flags: ['--config=resources/config.yml.txt'],
    })
    expect(await sidecar.child.ended()).toBe(1)
    expect(complaints(sidecar).fatal).toEqual([
      expect.stringMatching(/mutual TLS is on, and nobody signs certificates: .*--sentry-address/),
    ])
  })

  test('a missing app id', async () => {
    const sidecar = await Sidecar.launch({ appId: '', resources: good })
    expect(await sidecar.child.ended()).toBe(1)
    expect(sidecar.child.output).toMatch(/--?app-id/)
  })
})

describe('what leaves the others alone', () => {
  /** Starts, and serves the good store. */
  async function starts(
    resources: ResourcesText,
  ): Promise<{ errors: string[]; warnings: string[]; path: string; output: string }> {
    const sidecar = await Sidecar.launch({ resources })
    await sidecar.ready()
    expect((await fetch(`${sidecar.url}/v1.0/state/good/k`)).status).toBe(204)
    return {
      ...complaints(sidecar),
      path: join(sidecar.resourcesPath, 'a.yaml'),
      output: sidecar.child.output,
    }
  }

  test('broken YAML is left out, as in Dapr, with one line that says where', async () => {
    const text = `${good}---\nkind: Component\nmetadata:\n  name: [broken\nspec: {}\n`
    const { errors, path } = await starts({ 'a.yaml': text })
    expect(errors).toHaveLength(1)
    const first = lineOf(text, '---')
    const line = Number(errors[0]!.slice(path.length + 1).split(':')[0])
    expect(errors[0]!.startsWith(`${path}:`)).toBe(true)
    expect(line).toBeGreaterThan(first)
    expect(line).toBeLessThanOrEqual(lineOf(text, 'spec: {}'))
    expect(errors[0]).toContain('this document is left out')
  })

  test('an unknown kind is left out, with one line', async () => {
    const text = `${good}---\napiVersion: dapr.io/v1alpha1\nkind: Componet\nmetadata:\n  name: x\n`
    const { errors, path } = await starts({ 'a.yaml': text })
    expect(errors).toEqual([expect.stringContaining(`${path}:${lineOf(text, 'Componet')}: kind "Componet"`)])
    expect(errors[0]).toMatch(/did you mean .*Component/)
  })

  test('a resource of a block that is not built gets one line', async () => {
    const text = `${good}---\napiVersion: dapr.io/v1alpha1\nkind: MCPServer\nmetadata:\n  name: r\nspec: {}\n`
    const { warnings, path } = await starts({ 'a.yaml': text })
    const line = text.slice(0, text.lastIndexOf('apiVersion')).split('\n').length
    expect(warnings).toEqual([
      expect.stringContaining(`${path}:${line}: MCPServer "r": MCP servers are not built yet`),
    ])
  })

  test.each([
    ['not installed', component('bad', 'state.nosuch', { ignoreErrors: true })],
    ['wrong version', component('bad', 'state.in-memory', { version: 'v9', ignoreErrors: true })],
    [
      'bad metadata',
      component('bad', 'state.sqlite', {
        metadata: { connectionString: 'x.db', timeout: 'soon' },
        ignoreErrors: true,
      }),
    ],
    [
      'missing secret store',
      component('bad', 'state.in-memory', {
        metadata: { keyPrefix: { secret: 'x' } },
        secretStore: 'vault',
        ignoreErrors: true,
      }),
    ],
    ['unsupported kind', component('bad', 'conversation.echo', { ignoreErrors: true })],
    [
      'server that is not there',
      component('bad', 'state.redis', {
        metadata: { redisHost: '127.0.0.1:1', redisMaxRetries: 0 },
        ignoreErrors: true,
      }),
    ],
  ])('ignoreErrors: %s', async (_name, text) => {
    const { errors, warnings, path } = await starts({ 'a.yaml': `${text}---\n${good}` })
    expect(errors).toEqual([])
    const said = warnings.filter((line) => line.startsWith(`${path}:`))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('Component "bad"')
    expect(said[0]).toContain('spec.ignoreErrors is set')
  })

  test('without ignoreErrors, a server that is not there stops the start', async () => {
    const bad = component('bad', 'state.redis', {
      metadata: { redisHost: '127.0.0.1:1', redisMaxRetries: 0 },
    })
    const { fatal } = await refused({ resources: { 'a.yaml': `${bad}---\n${good}` } })
    expect(fatal).toHaveLength(1)
    expect(fatal[0]).toContain('Component "bad" (state.redis/v1)')
    expect(fatal[0]).toContain('127.0.0.1:1')
  })
})

test('secrets never appear in what a sidecar writes, whatever goes wrong with them', async () => {
  const file = [
    component('vault', 'secretstores.local.file', { metadata: { secretsFile: 'resources/secrets.json' } }),
    component('a', 'state.sqlite', {
      metadata: { connectionString: 'a.db', timeout: { secret: 'password' } },
      secretStore: 'vault',
      ignoreErrors: true,
    }),
    component('b', 'state.redis', {
      metadata: { redisHost: '127.0.0.1:1', redisPassword: { secret: 'password' }, redisMaxRetries: 0 },
      secretStore: 'vault',
      ignoreErrors: true,
    }),
    component('c', 'state.redis', {
      metadata: { redisHost: { secret: 'password' }, redisMaxRetries: 0 },
      secretStore: 'vault',
      ignoreErrors: true,
    }),
    component('d', 'state.redis', {
      metadata: { redisHost: '127.0.0.1:1', redisPassword: secretText, redisMaxRetries: 0 },
      ignoreErrors: true,
    }),
    component('e', 'state.sqlite', {
      metadata: {
        connectionString: { secret: 'password', key: 'password' },
        tableName: { secret: 'password' },
      },
      secretStore: 'vault',
      ignoreErrors: true,
    }),
    component('f', 'bindings.cron', {
      metadata: { schedule: { secret: 'password' } },
      secretStore: 'vault',
      ignoreErrors: true,
    }),
  ].join('---\n')
  const sidecar = await Sidecar.launch({
    resources: { 'a.yaml': file, 'secrets.json': JSON.stringify({ password: secretText }) },
    flags: ['--log-level=debug', '--enable-api-logging'],
  })
  await sidecar.ready()
  expect(await (await fetch(`${sidecar.url}/v1.0/secrets/vault/password`)).json()).toEqual({
    password: secretText,
  })
  await (await fetch(`${sidecar.url}/v1.0/metadata`)).text()
  await sidecar.stop()
  const { warnings } = complaints(sidecar)
  // Each of these had a reason to talk about its secret.
  for (const name of ['a', 'b', 'c', 'd', 'f']) expect(warnings.join('\n')).toContain(`Component "${name}"`)
  expect(sidecar.child.output).not.toContain(secretText)
})
