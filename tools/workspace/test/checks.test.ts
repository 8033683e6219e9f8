import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changesets, missingChangesets } from '../src/checks/changesets.ts'
import { generated } from '../src/checks/generated.ts'
import { imports } from '../src/checks/imports.ts'
import { boundaryFindings, format, lint } from '../src/checks/lint.ts'
import { references, syncReferences } from '../src/checks/references.ts'
import { shape } from '../src/checks/shape.ts'
import { nxEnv } from '../src/build.ts'
import { staleFiles, write } from '../src/generators/index.ts'
import { capture, node, root } from '../src/run.ts'
import { component, manifest, Planted } from './planted.ts'

describe('format and lint', () => {
  const planted = (files: Record<string, string | object>) => {
    const workspace = new Planted(files)
    for (const file of ['.oxlintrc.json', '.oxfmtrc.json', 'tsconfig.base.json']) {
      copyFileSync(join(root, file), join(workspace.root, file))
    }
    workspace.write({ 'tsconfig.json': { extends: './tsconfig.base.json', include: ['packages'] } })
    return workspace
  }

  test('a file that is not formatted', async () => {
    using workspace = planted({
      'packages/a/src/x.ts': 'export const a = "b";\n',
      'packages/a/src/y.ts': "export const a = 'b'\n",
    })
    expect(await workspace.findings(format)).toContain('packages/a/src/x.ts:1 is not formatted')
    expect(await workspace.findings(format)).not.toContain('packages/a/src/y.ts:1 is not formatted')
  })

  test('production code that breaks a rule of the house', async () => {
    const cases: [text: string, message: string][] = [
      ['export const a = () => console.log(1)', 'no-console'],
      ['export const a = Date.now()', "'Date.now' is restricted"],
      ['export const a = Math.random()', "'Math.random' is restricted"],
      ["export const a = process.env['A']", "'process.env' is restricted"],
      ['export const a = () => process.exit(1)', "'process.exit' is restricted"],
      ['export const a = () => setTimeout(() => {}, 1)', "Unexpected use of 'setTimeout'"],
      ["import { setTimeout } from 'node:timers/promises'\nexport const a = setTimeout", 'timers/promises'],
      [
        "import { EventEmitter } from 'node:events'\nexport const a = EventEmitter",
        "'EventEmitter' import from 'node:events' is restricted",
      ],
      ['export const a = () => {\n  Promise.resolve(1)\n}', 'no-floating-promises'],
      ['export const a = (b: any): unknown => b', 'no-explicit-any'],
      [`export const a = 1\n${'// line\n'.repeat(500)}`, 'max-lines'],
    ]
    const file = (index: number) => `packages/a/src/case-${index}.ts`
    using workspace = planted({
      'packages/a/src/fine.ts': 'export const b = 1\n',
      ...Object.fromEntries(cases.map(([text], index) => [file(index), `${text}\n`])),
    })
    const found = await workspace.findings(lint)
    expect(found.filter((line) => !line.includes('/case-'))).toEqual([])
    for (const [index, [, message]] of cases.entries()) {
      const own = found.filter((line) => line.startsWith(`${file(index)}:`))
      expect(own, file(index)).toHaveLength(1)
      expect(own[0]).toContain(message)
    }
  })

  test('tests may use the clock; the places that architecture names may read the environment', async () => {
    using workspace = planted({
      'packages/a/src/x.test.ts': 'export const a = () => setTimeout(() => {}, Date.now())\n',
      'packages/a/test/y.ts': 'export const a = Math.random()\n',
      'packages/runtime/src/config/flags.ts': "export const a = process.env['A']\n",
      'packages/runtime/src/bin.ts': 'process.exit(1)\n',
    })
    expect(await workspace.findings(lint)).toEqual([])
  })
})

describe('boundaries', () => {
  const lintText = async (file: string, text: string) => {
    const eslint = [
      join(root, 'node_modules/eslint/bin/eslint.js'),
      '--format=json',
      '--stdin',
      '--stdin-filename',
      file,
    ]
    const command = [node, ...eslint].map((part) => `'${part}'`).join(' ')
    const { stdout, stderr } = await capture('sh', ['-c', `printf '%s' "$TEXT" | ${command}`], {
      env: { ...nxEnv(), TEXT: text },
    })
    const start = stdout.indexOf('[{')
    if (start < 0) throw new Error(stdout + stderr)
    return boundaryFindings(root, JSON.parse(stdout.slice(start))).map(
      ({ line, message }) => `${line} ${message}`,
    )
  }

  test('the layers are held, with more room for tests', { timeout: 120_000 }, async () => {
    const graph = await capture(node, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'show', 'projects'], {
      env: nxEnv(),
    })
    expect(graph.code, graph.stderr).toBe(0)
    const upward = await lintText(
      'packages/kit/src/planted.ts',
      "import '@outrigger/spec'\nimport '@outrigger/state-redis'\n",
    )
    expect(upward).toHaveLength(1)
    expect(upward[0]).toMatch(/^2 /)
    const component = "import '@outrigger/state-in-memory'\n"
    const [toComponent] = await lintText('packages/runtime/src/planted.ts', component)
    expect(toComponent).toContain('"layer:runtime" can only depend on libs tagged with')
    expect(await lintText('packages/runtime/test/planted.ts', component)).toHaveLength(1)
    const [relative] = await lintText('packages/host/src/planted.ts', "import '../../wire/src/index.ts'\n")
    expect(relative).toContain('relative')
    const testkit = "import '@outrigger/testkit'\n"
    expect(await lintText('packages/state-redis/src/planted.ts', testkit)).toHaveLength(1)
    expect(await lintText('packages/state-redis/src/planted.test.ts', testkit)).toEqual([])
  })
})

describe('imports', () => {
  test('published code imports what it depends on; tests may import more', async () => {
    using workspace = new Planted({
      'packages/a/package.json': manifest('a', 'kit', {
        dependencies: { yaml: '1.0.0' },
        devDependencies: { vitest: '1.0.0' },
      }),
      'packages/a/src/index.ts': "import 'node:fs'\nimport 'yaml/sub'\nimport './x.ts'\nimport 'vitest'\n",
      'packages/a/src/x.ts': "export const load = () => import('@scope/name/sub')\n",
      'packages/a/src/x.test.ts': "import 'vitest'\n",
    })
    expect(await workspace.findings(imports)).toEqual([
      'packages/a/src/index.ts:4 imports vitest, which is no dependency of @outrigger/a',
      'packages/a/src/x.ts:1 imports @scope/name, which is no dependency of @outrigger/a',
    ])
  })
})

describe('references', () => {
  test('follow the dependencies and are written by the generator', async () => {
    const dependencies = { '@outrigger/c': 'workspace:^', '@outrigger/b': 'workspace:^', yaml: '1.0.0' }
    using workspace = new Planted({
      'packages/a/package.json': manifest('a', 'kit', { dependencies }),
      'packages/a/tsconfig.json': { include: ['src'], references: [{ path: '../b' }, { path: '../d' }] },
      'packages/b/package.json': manifest('b', 'spec'),
      'packages/b/tsconfig.json': { references: [] },
      'packages/c/package.json': manifest('c', 'spec'),
    })
    expect(await workspace.findings(references)).toEqual([
      'packages/a/tsconfig.json:5 lacks references to ../c; has references to ../d without a dependency',
      'packages/c/tsconfig.json:1 there is no tsconfig.json',
    ])
    syncReferences(workspace.workspace)
    expect(await workspace.findings(references)).toEqual([])
    expect(JSON.parse(readFileSync(join(workspace.root, 'packages/a/tsconfig.json'), 'utf8'))).toEqual({
      include: ['src'],
      references: [{ path: '../b' }, { path: '../c' }],
    })
  })
})

describe('package shape', () => {
  test('a package as it should be has no findings', async () => {
    using workspace = new Planted({ ...component('state.foo'), 'packages/state-foo/README.md': '# Foo\n' })
    expect(await workspace.findings(shape)).toEqual([])
  })

  test.each([
    [{ name: '@outrigger/other' }, 'the name is @outrigger/other'],
    [{ license: undefined }, 'has no licence'],
    [{ description: '' }, 'has no description'],
    [{ engines: {} }, 'engines.node is missing or different'],
    [{ files: ['dist'] }, 'does not publish metadata.schema.json'],
    [{ exports: { '.': './src/index.ts' } }, 'an export does not name source, types and default'],
    [
      { publishConfig: { access: 'public' } },
      'publishConfig.exports is not exports without the source condition',
    ],
    [{ publishConfig: {} }, 'would not be published for all'],
    [{ nx: { tags: ['layer:nowhere'] } }, 'the layer is "nowhere"'],
    [{ dependencies: { '@outrigger/spec': 'workspace:*' } }, '@outrigger/spec has the range workspace:*'],
    [{ dependencies: { yaml: '^2.0.0' } }, 'yaml has the range ^2.0.0'],
    [
      { exports: { './package.json': './package.json' } },
      'an export does not name source, types and default',
    ],
    [{ bin: { foo: './dist/bin.js' } }, 'the command foo has no source src/bin.ts'],
  ])('a manifest with %j', async (changes, message) => {
    using workspace = new Planted({ ...component('state.foo'), 'packages/state-foo/README.md': '# Foo\n' })
    workspace.write({ 'packages/state-foo/package.json': manifest('state-foo', 'component', changes) })
    const found = await workspace.findings(shape)
    expect(found.join('\n')).toContain(message)
    expect(found[0]).toMatch(/^packages\/state-foo\/package.json:\d+ /)
  })

  test('a definition of another type, none at all, and no README', async () => {
    using workspace = new Planted({
      ...component('state.foo', { type: 'state.Bar' }),
      ...component('state.none'),
      'packages/state-none/src/index.ts': 'export const a = 1\n',
    })
    expect(await workspace.findings(shape)).toEqual([
      'packages/state-foo/README.md:1 is missing',
      'packages/state-foo/src/index.ts:1 defines state.Bar',
      'packages/state-foo/src/index.ts:3 "state.Bar" is no type name',
      'packages/state-none/README.md:1 is missing',
      'packages/state-none/src/index.ts:1 does not export a definition as its default',
    ])
  })
})

describe('generated files', () => {
  test('are stale until they are written, and again when somebody edits them', async () => {
    using workspace = new Planted({
      ...component('state.foo'),
      'packages/cli/package.json': manifest('cli', 'cli'),
      'README.md': '# All\n\n<!-- packages:start -->\n<!-- packages:end -->\n\nThe end.\n',
    })
    const files = [
      'packages/state-foo/README.md',
      'packages/state-foo/metadata.schema.json',
      'packages/cli/src/generated/catalogue.ts',
      'README.md',
    ]
    expect(await workspace.findings(generated)).toEqual(files.map((file) => `${file}:1 is not up to date`))
    const { stale } = await staleFiles(workspace.workspace)
    for (const output of stale) write(workspace.workspace, output)
    expect(await workspace.findings(generated)).toEqual([])

    const read = (file: string) => readFileSync(join(workspace.root, file), 'utf8')
    expect(read('README.md')).toContain('[@outrigger/state-foo](packages/state-foo)')
    expect(read('README.md')).toMatch(/<!-- packages:end -->\n\nThe end\.\n$/)
    expect(read(files[0] as string)).toContain('| `path` or `file` | string | yes ')
    expect(read(files[0] as string)).toContain('Where it is \\| or not.')
    expect(read(files[2] as string)).toContain("title: 'Somebody\\'s store',")
    const schema = JSON.parse(read(files[1] as string))
    expect(schema.properties.spec.properties.type).toEqual({ enum: ['state.foo'] })

    workspace.write({ [files[0] as string]: read(files[0] as string).replace('Where it is', 'Where it was') })
    expect(await workspace.findings(generated)).toEqual([`${files[0]}:1 is not up to date`])
  })

  test('a README without the marks gets a part of its own, the root one is a finding', async () => {
    using workspace = new Planted({
      ...component('state.foo'),
      'packages/state-foo/README.md': '# Foo\n\nText.\n',
      'README.md': '# All\n',
    })
    const { stale, problems } = await staleFiles(workspace.workspace)
    expect(stale[0]?.content).toMatch(/^# Foo\n\nText\.\n\n## Reference\n\n<!-- metadata:start -->\n/)
    expect(problems.map(({ message }) => message)).toEqual(['has no place for the generated packages'])
  })
})

describe('changesets', () => {
  const files = {
    'packages/a/package.json': manifest('a', 'kit'),
    'packages/b/package.json': manifest('b', 'kit'),
    'packages/c/package.json': manifest('c', 'kit', { private: true }),
    '.changeset/one.md': "---\n'@outrigger/b': patch\n'@outrigger/gone': minor\n---\n\nText.\n",
  }

  test('every changed package is named, but for tests and readmes', () => {
    using workspace = new Planted(files)
    const changed = [
      'packages/a/README.md',
      'packages/a/src/x.test.ts',
      'packages/b/src/x.ts',
      'packages/c/src/x.ts',
    ]
    expect(missingChangesets(workspace.workspace, changed)).toEqual([])
    const [finding] = missingChangesets(workspace.workspace, [...changed, 'packages/a/src/x.ts'])
    expect(finding).toMatchObject({
      file: 'packages/a/src/x.ts',
      message: '@outrigger/a changed without a changeset',
    })
  })

  test('a branch is compared with where it left main', async () => {
    using workspace = new Planted(files)
    const git = async (...args: string[]) => {
      const user = ['-c', 'user.name=a', '-c', 'user.email=a@localhost', '-c', 'commit.gpgsign=false']
      const { code, stderr } = await capture('git', [...user, ...args], { cwd: workspace.root })
      expect(code, stderr).toBe(0)
    }
    await git('init', '-q', '-b', 'main')
    await git('add', 'packages', '.changeset')
    await git('commit', '-q', '-m', 'first')
    const stranger = '.changeset:1 a changeset names @outrigger/gone, which is no package'
    expect(await workspace.findings(changesets)).toEqual([stranger])
    await git('switch', '-q', '-c', 'branch')
    workspace.write({ 'packages/a/src/x.ts': 'export const a = 1\n' })
    await git('add', 'packages')
    await git('commit', '-q', '-m', 'second')
    expect(await workspace.findings(changesets)).toEqual([
      stranger,
      'packages/a/src/x.ts:1 @outrigger/a changed without a changeset',
    ])
  })
})
