import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ComponentResource, SubscriptionResource } from './model.ts'
import { type ReadOptions, readResources } from './read.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resources-'))
})
afterEach(() => rm(folder, { recursive: true }))

function read(text: string, options: Partial<ReadOptions> = {}) {
  return readResources({ paths: [], inline: [text], appId: 'app', ...options })
}

async function components(text: string, options: Partial<ReadOptions> = {}) {
  return (await read(text, options)).resources as ComponentResource[]
}

function component(name: string, rest = ''): string {
  return `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec:\n  type: state.in-memory\n${rest}`
}

async function messages(text: string, options: Partial<ReadOptions> = {}) {
  return (await read(text, options)).problems.map(({ severity, message }) => `${severity} ${message}`)
}

describe('components', () => {
  test('a complete one', async () => {
    const [found] = await components(`
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
  namespace: prod
spec:
  type: State.Redis
  version: v1
  ignoreErrors: true
  initTimeout: 1m30s
  metadata:
    - name: redisHost
      value: localhost:6379
    - name: redisPassword
      secretKeyRef: {name: redis, key: password}
    - name: other
      secretKeyRef: {name: only}
    - name: user
      envRef: REDIS_USER
auth:
  secretStore: vault
scopes: [app, other]
`)
    expect(found).toEqual({
      kind: 'Component',
      name: 'store',
      annotations: {},
      namespace: 'prod',
      type: 'state.redis',
      version: 'v1',
      ignoreErrors: true,
      initTimeoutMs: 90_000,
      metadata: [
        { name: 'redisHost', value: 'localhost:6379', line: 13 },
        { name: 'redisPassword', secretKeyRef: { name: 'redis', key: 'password' }, line: 15 },
        { name: 'other', secretKeyRef: { name: 'only', key: 'only' }, line: 17 },
        { name: 'user', envRef: 'REDIS_USER', line: 19 },
      ],
      secretStore: 'vault',
      scopes: ['app', 'other'],
      source: { file: '(inline)', line: 2 },
    })
  })

  test.each(['', '  metadata:\n', '  metadata: null\n', '  metadata: []\n', '  version:\n'])(
    'lenient about %j',
    async (rest) => {
      const { resources, problems } = await read(component('a', rest))
      expect(problems).toEqual([])
      expect(resources).toMatchObject([{ version: undefined, metadata: [], initTimeoutMs: 5000 }])
    },
  )

  test.each([
    ['1e3', '1e3'],
    ['007', '007'],
    ['12345678901234567890', '12345678901234567890'],
    ['0x1F', '0x1F'],
    ['1.50', '1.50'],
    ['true', 'true'],
    ['Yes', 'Yes'],
    ['null', ''],
    ['~', ''],
    ['', ''],
    ['"quoted\\n"', 'quoted\n'],
    ["'it''s'", "it's"],
    ['2024-01-02', '2024-01-02'],
    ['5s', '5s'],
    [
      '{a: 1, b: [true, null, 12345678901234567890, 007, "x"]}',
      '{"a":1,"b":[true,null,12345678901234567890,7,"x"]}',
    ],
    ['|\n        line 1\n        line 2', 'line 1\nline 2\n'],
  ])('the value %s is the text %j', async (written, text) => {
    const [found] = await components(component('a', `  metadata:\n    - name: x\n      value: ${written}\n`))
    expect(found?.metadata[0]?.value ?? '').toBe(text)
  })

  test('anchors, aliases and merges', async () => {
    const [found] = await components(
      component('a', '  metadata:\n    - &x {name: x, value: 1}\n    - {<<: *x, name: y}\n    - *x\n'),
    )
    expect(found?.metadata.map(({ name, value }) => [name, value])).toEqual([
      ['x', '1'],
      ['y', '1'],
      ['x', '1'],
    ])
  })

  test('keys in any case, as Go reads them', async () => {
    const [found] = await components(component('a', '  IgnoreErrors: true\n  initTimeOut: 1s\n'))
    expect(found).toMatchObject({ ignoreErrors: true, initTimeoutMs: 1000 })
  })

  test('objects in place of text', async () => {
    const { resources, problems } = await readResources({
      paths: [],
      appId: 'app',
      inline: [
        {
          apiVersion: 'dapr.io/v1alpha1',
          kind: 'Component',
          metadata: { name: 'a' },
          spec: {
            type: 'state.redis',
            metadata: [
              { name: 'n', value: 1 },
              { name: 'o', value: { a: [1] } },
            ],
          },
        },
      ],
    })
    expect(problems).toEqual([])
    expect((resources[0] as ComponentResource).metadata.map(({ value }) => value)).toEqual(['1', '{"a":[1]}'])
  })
})

describe('which are meant', () => {
  test('scopes name applications', async () => {
    const text = [
      component('mine', 'scopes: [app]'),
      component('all'),
      component('other', 'scopes: [x]'),
    ].join('\n---\n')
    expect((await components(text)).map(({ name }) => name)).toEqual(['mine', 'all'])
  })

  test('namespaces count only when the process has one', async () => {
    const text = [component('a').replace('name: a', 'name: a\n  namespace: x'), component('b')].join(
      '\n---\n',
    )
    expect((await components(text)).map(({ name }) => name)).toEqual(['a', 'b'])
    expect((await components(text, { namespace: 'x' })).map(({ name }) => name)).toEqual(['a', 'b'])
    expect((await components(text, { namespace: 'y' })).map(({ name }) => name)).toEqual(['b'])
  })

  test('two of one name are fatal, and both places are named', async () => {
    const text = [component('a'), component('b'), component('a')].join('---\n')
    expect(await messages(text)).toEqual([
      'fatal (inline):15: Component "a": metadata.name is taken by the Component at (inline):1: rename one of them',
    ])
  })

  test('two of one name are fine where nothing is called by it', async () => {
    const one = (kind: string): string =>
      `apiVersion: dapr.io/v1alpha1\nkind: ${kind}\nmetadata: {name: same}\nspec: {}\n`
    for (const kind of ['Resiliency', 'Configuration']) {
      const { resources, problems } = await read(`${one(kind)}---\n${one(kind)}`)
      expect(resources).toHaveLength(2)
      expect(problems.filter(({ severity }) => severity !== 'debug')).toEqual([])
    }
  })

  test('a component without a type is left to the loader, which knows whose it is', async () => {
    for (const text of [
      component('a').replace('  type: state.in-memory\n', '  version: v1\n'),
      component('a').replace(/spec:[^]*/, ''),
    ]) {
      const { resources, problems } = await read(text)
      expect(problems).toEqual([])
      expect(resources).toMatchObject([{ name: 'a', type: '', metadata: [] }])
    }
  })

  test.each(['', 'v0', ' V0 '])('the version "%s" is the first one', async (version) => {
    const text = component('a').replace('type: state.in-memory', `type: state.x\n  version: "${version}"`)
    expect(await components(text)).toMatchObject([{ version: undefined }])
  })

  test('two of one name for different applications are not', async () => {
    expect(
      await messages([component('a', 'scopes: [app]\n'), component('a', 'scopes: [x]')].join('---\n')),
    ).toEqual([])
  })
})

describe('subscriptions', () => {
  const head = (version: string) =>
    `apiVersion: dapr.io/${version}\nkind: Subscription\nmetadata:\n  name: s\n`

  test('v1alpha1', async () => {
    const { resources, problems } = await read(
      `${head('v1alpha1')}spec:\n  pubsubname: p\n  topic: t\n  route: /r\n  deadLetterTopic: d\n  metadata: {rawPayload: true}\n  bulkSubscribe: {enabled: true, maxMessagesCount: 7}\nscopes:\n  - app\n`,
    )
    expect(problems).toEqual([])
    expect(resources[0] as SubscriptionResource).toEqual({
      kind: 'Subscription',
      name: 's',
      namespace: undefined,
      pubsubName: 'p',
      topic: 't',
      rules: [],
      defaultPath: '/r',
      metadata: { rawPayload: 'true' },
      deadLetterTopic: 'd',
      bulk: { maxMessages: 7, maxWaitMs: 1000 },
      scopes: ['app'],
      source: { file: '(inline)', line: 1 },
    })
  })

  test('v2alpha1', async () => {
    const { resources, problems } = await read(
      `${head('v2alpha1')}spec:\n  pubsubname: p\n  topic: t\n  routes:\n    rules:\n    - match: event.type == "x"\n      path: /x\n    default: /d\n`,
    )
    expect(problems).toEqual([])
    expect(resources).toMatchObject([
      { rules: [{ match: 'event.type == "x"', path: '/x' }], defaultPath: '/d', bulk: undefined },
    ])
  })

  test('route in v2alpha1 is told', async () => {
    expect(await messages(`${head('v2alpha1')}spec: {pubsubname: p, topic: t, route: /x}`)).toEqual([
      'warn (inline):5: Subscription "s": spec.route has no effect in v2alpha1: write routes: {default: PATH}',
    ])
  })
})

describe('what is wrong', () => {
  test.each([
    [
      component('a', '  metadata:\n  - value: 1\n'),
      'skip (inline):8: Component "a": spec.metadata[0].name is missing: each item of spec.metadata has a name and a value',
    ],
    [
      component('a', 'scopes: app\n'),
      'skip (inline):7: Component "a": scopes must be a list (each item on its own line after a dash), not a text',
    ],
    [
      component('a', '  ignoreErrors: maybe\n'),
      'skip (inline):7: Component "a": spec.ignoreErrors must be true or false',
    ],
    [
      component('a', '  metdata: []\n'),
      'warn (inline):7: Component "a": spec.metdata is not a known key and has no effect (did you mean metadata?)',
    ],
    [
      component('a', 'scope: [app]\n'),
      'warn (inline):7: Component "a": scope is not a known key and has no effect (did you mean scopes?)',
    ],
    [
      component('a', '  initTimeout: soon\n'),
      'warn (inline):7: Component "a": spec.initTimeout is not a duration such as 5s or 1m30s: 5s is used',
    ],
    [
      component('a', '  version: v1\n  version: v2\n'),
      'warn (inline):8: version is there twice in one map: the last one counts',
    ],
    [
      component('a').replace('  name: a', '  labels: {}'),
      'skip (inline):4: Component: metadata.name is missing: every resource has a name',
    ],
    [
      component('a').replace('v1alpha1', 'v1'),
      'skip (inline):1: apiVersion of a Component must be dapr.io/v1alpha1; this document is left out',
    ],
    [
      component('a').replace('Component', 'Compnent'),
      'skip (inline):2: kind "Compnent" is not one that is known here (did you mean Component?); this document is left out',
    ],
    [
      'apiVersion: v1\nkind: ConfigMap\n',
      'debug (inline):2: kind "ConfigMap" is not one that is known here; this document is left out',
    ],
    ['- a\n', 'skip (inline):1: is no resource: a document begins with apiVersion and kind'],
    [
      'apiVersion: dapr.io/v1alpha1\nkind: MCPServer\nmetadata: {name: r}\n',
      'warn (inline):1: MCPServer "r": MCP servers are not built yet: its tools are not there',
    ],
  ])('%#', async (text, message) => {
    expect(await messages(text)).toEqual([message])
  })

  test('a broken document leaves its neighbours alone, and says where it is broken', async () => {
    const broken = component('broken', '  metadata:\n  - name: x\n    value: "S3CRET\n')
    const text = [component('a'), broken, component('b')].join('---\n')
    const { resources, problems } = await read(text)
    expect(resources.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^\(inline\):1\d: \(column \d+\) a quote, bracket, comma or space is missing; this document is left out$/,
      ),
    ])
  })

  test.each([
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((name, at) => `${name}: &${name} [${`*${'abcdefg'[at]},`.repeat(10)}]`)
        .join('\n')}`,
      /more than 100000 values/,
    ],
    ['a deep nest', `a: ${'['.repeat(200)}${']'.repeat(200)}`, /nested more than 64 deep/],
    ['a very deep nest', `a: ${'['.repeat(100_000)}`, /nested too deeply/],
    ['an alias to itself', 'a: &a [*a]', /nested more than 64 deep|is not above it/],
    ['too many documents', '---\na: 1\n'.repeat(1001), /more than 1000 documents/],
  ])('%s', async (_, text, message) => {
    const found = await messages(text)
    expect(found.at(-1)).toMatch(message)
  })

  test('no message quotes a value', async () => {
    const secret = 'S3CRET'
    const texts = [
      component('a', `  metadata:\n  - name: x\n    value: "${secret}\n`),
      component('a', `  metadata:\n  - name: x\n    value: ${secret}: ${secret}\n`),
      component('a', `  metadata:\n  - name: x\n    value: @${secret}\n`),
      component('a', `  metadata:\n  - name: x\n    value: [${secret}\n`),
      component('a', `  metadata:\n  - name: x\n    value: *${secret}\n`),
      component('a', `  metadata:\n  - name: x\n    value: "\\${secret}"\n`),
      component('a', `  metadata:\n  - name: x\n    secretKeyRef: ${secret}\n`),
      component('a', `  metadata:\n  - ${secret}\n`),
      component('a', `  metadata: ${secret}\n`),
      component('a', `  initTimeout: ${secret}\n`),
      component('a', `  ignoreErrors: ${secret}\n`),
      component('a', `  metadata:\n  - name: x\n    value: a\n   ${secret}\n`),
    ]
    for (const text of texts) {
      const found = await messages(text)
      expect(found, text).toHaveLength(1)
      expect(found.join('\n')).not.toContain(secret)
    }
  })
})

describe('folders', () => {
  test('every yaml and yml in the order of names, not below, and single files', async () => {
    await mkdir(join(folder, 'sub.yaml'))
    await writeFile(join(folder, 'sub.yaml', 'x.yaml'), component('below'))
    await writeFile(join(folder, 'b.yml'), component('b'))
    await writeFile(
      join(folder, 'a.yaml'),
      `\uFEFF# a comment\r\n---\r\n${component('a1')}---   # next\n${component('a2')}...\n`,
    )
    await writeFile(join(folder, 'c.txt'), component('c'))
    const single = await mkdtemp(join(tmpdir(), 'resources-'))
    await writeFile(join(single, 'one.conf'), component('one'))
    const { resources, problems } = await readResources({
      paths: [folder, join(single, 'one.conf')],
      appId: 'app',
    })
    await rm(single, { recursive: true })
    expect(problems).toEqual([])
    expect(resources.map(({ name }) => name)).toEqual(['a1', 'a2', 'b', 'one'])
    expect(resources[1]?.source).toEqual({ file: join(folder, 'a.yaml'), line: 10 })
  })

  test('one that is missing is fatal', async () => {
    const { problems } = await readResources({ paths: [join(folder, 'none')], appId: 'app' })
    expect(problems).toMatchObject([
      {
        severity: 'fatal',
        message: `${join(folder, 'none')}: does not exist: correct --resources-path, or create the folder`,
      },
    ])
  })

  test('a file that is too large, and one that is no text', async () => {
    await writeFile(join(folder, 'a.yaml'), 'x'.repeat(4 * 2 ** 20 + 1))
    await writeFile(join(folder, 'b.yaml'), new Uint8Array([0xff, 0xfe, 0xfd]))
    await writeFile(join(folder, 'c.yaml'), component('c'))
    const { problems, resources } = await readResources({ paths: [folder], appId: 'app' })
    expect(resources.map(({ name }) => name)).toEqual(['c'])
    expect(problems.map(({ message }) => message)).toEqual([
      `${join(folder, 'a.yaml')}: has more than 4194304 bytes: split it`,
      `${join(folder, 'b.yaml')}: is not UTF-8`,
    ])
  })
})
