import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadDefinition } from './definition.ts'
import { LoadProblem, resolveComponent } from './resolve.ts'

let root: string
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'modules-')))
})
afterAll(() => rm(root, { recursive: true }))

/** Writes a package below `folder/node_modules`. */
async function install(
  folder: string,
  name: string,
  manifest: object,
  files: Readonly<Record<string, string>>,
) {
  const place = join(root, folder, 'node_modules', name)
  for (const [file, text] of Object.entries({
    'package.json': JSON.stringify({ name, type: 'module', ...manifest }),
    ...files,
  })) {
    await mkdir(dirname(join(place, file)), { recursive: true })
    await writeFile(join(place, file), text)
  }
}

function source(type: string, title = type, contract = 'state/1'): string {
  return `export default { contract: '${contract}', type: '${type}', title: '${title}', versions: { v1: { metadata: {}, capabilities: [], create() {} } } }`
}

const exportsOf = (file: string) => ({
  exports: { '.': { types: './x.d.ts', default: file }, './package.json': './package.json' },
})

describe('a package', () => {
  test('is imported from the folder that has it, first folder first, scope by scope', async () => {
    await install('one', '@outrigger/state-a-b', exportsOf('./dist/a.js'), {
      'dist/a.js': source('state.a.b', 'one'),
    })
    await install(
      'two',
      '@outrigger/state-a-b',
      { exports: './a.js' },
      { 'a.js': source('state.a.b', 'two') },
    )
    await install('two', '@acme/state-c', { main: 'main.js' }, { 'main.js': source('state.c', 'acme') })
    const [one, two] = [join(root, 'one', 'deep', 'app'), join(root, 'two')]
    await mkdir(one, { recursive: true })
    const title = async (type: string, searchFrom: string[], scopes?: string[]) =>
      (await loadDefinition(type, { searchFrom, scopes })).title
    expect(await title('state.a.b', [one, two])).toBe('one')
    expect(await title('state.a.b', [two, one])).toBe('two')
    expect(await title('state.a.b', [join(two, 'node_modules')])).toBe('two')
    expect(await title('state.c', [one, two], ['@outrigger', '@acme'])).toBe('acme')
  })

  test('is the one that the Configuration maps the type to', async () => {
    await install(
      'map',
      'my-redis',
      { exports: { default: './i.js' } },
      { 'i.js': source('state.redis', 'mine') },
    )
    const found = await loadDefinition('state.redis', {
      searchFrom: [join(root, 'map')],
      modules: { 'state.redis': 'my-redis' },
    })
    expect(found.title).toBe('mine')
  })

  test('may be asked for by another name of its type', async () => {
    await install(
      'alias',
      '@outrigger/state-postgresql',
      { exports: './i.js' },
      { 'i.js': source('state.postgresql') },
    )
    expect((await loadDefinition('state.postgres', { searchFrom: [join(root, 'alias')] })).type).toBe(
      'state.postgresql',
    )
  })

  test('may be linked, as in a workspace', async () => {
    await install('store', 'real', { exports: './i.js' }, { 'i.js': source('state.linked', 'linked') })
    await mkdir(join(root, 'links', 'node_modules', '@outrigger'), { recursive: true })
    await symlink(
      join(root, 'store', 'node_modules', 'real'),
      join(root, 'links', 'node_modules', '@outrigger', 'state-linked'),
    )
    expect((await loadDefinition('state.linked', { searchFrom: [join(root, 'links')] })).title).toBe('linked')
  })

  test('is not looked for when a definition is at hand', async () => {
    const definition = {
      contract: 'state/1',
      type: 'state.own',
      title: 'own',
      aliases: ['state.mine'],
      versions: { v1: {} as never },
    }
    const options = { searchFrom: [], definitions: [definition] }
    expect(await resolveComponent('state.own', options)).toEqual({ definition })
    expect(await loadDefinition('state.mine', options)).toBe(definition)
  })
})

describe('what is wrong with a package', () => {
  const wrong: readonly [string, object, Record<string, string>, RegExp][] = [
    [
      'not there',
      {},
      {},
      /^spec\.type state\.x needs the package @outrigger\/state-x, which is not installed: npm install @outrigger\/state-x \(looked for from .*not-there, the runtime itself\)$/,
    ],
    ['not built', exportsOf('./dist/i.js'), {}, /has no \.\/dist\/i\.js: build it, or install it again$/],
    ['outside', { exports: '../../../../etc/x.js' }, {}, /exports "\.\.\/.*", which is outside of it$/],
    [
      'no root',
      { exports: { './other': './i.js' } },
      { 'i.js': '' },
      /exports nothing under "\.": it is no component package$/,
    ],
    [
      'throws',
      { exports: './i.js' },
      { 'i.js': 'throw new Error("no native module\\nmore")' },
      /cannot be imported: no native module \(.*i\.js\): install it again$/,
    ],
    [
      'no default',
      { exports: './i.js' },
      { 'i.js': 'export const a = 1' },
      /is no component: its default export is not what a define function returns$/,
    ],
    [
      'other type',
      { exports: './i.js' },
      { 'i.js': source('state.y') },
      /is state\.y, not state\.x: correct spec\.type, or the map of packages$/,
    ],
    [
      'other contract',
      { exports: './i.js' },
      { 'i.js': source('state.x', 'x', 'state/9') },
      /speaks the contract "state\/9" and this runtime "state\/1": update @outrigger\/runtime/,
    ],
  ]

  test.each(wrong)('%s', async (name, manifest, files, message) => {
    const folder = name.replace(' ', '-')
    if (name !== 'not there') await install(folder, '@outrigger/state-x', manifest, files)
    const error: unknown = await loadDefinition('state.x', { searchFrom: [join(root, folder)] }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(LoadProblem)
    expect((error as Error).message).toMatch(message)
  })
})
