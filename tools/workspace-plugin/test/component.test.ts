import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createTree } from '@nx/devkit/testing'
import { afterEach, expect, test } from 'vitest'
import { shape } from '../../workspace/src/checks/shape.ts'
import { references } from '../../workspace/src/checks/references.ts'
import { readWorkspace } from '../../workspace/src/workspace.ts'
import generate from '../src/generators/component/generator.ts'
import { kindOf, kinds } from '../src/generators/component/kinds.ts'

const root = join(import.meta.dirname, '../../..')
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Writes what the generator makes into a folder beside the real packages' dependencies. */
function generated(types: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-generator-'))
  folders.push(folder)
  const tree = createTree()
  for (const type of types) generate(tree, { type })
  for (const change of tree.listChanges()) {
    const file = join(folder, change.path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, change.content ?? '')
  }
  const scope = join(folder, 'node_modules/@outrigger')
  mkdirSync(scope, { recursive: true })
  for (const name of ['spec', 'kit', 'conformance'])
    symlinkSync(join(root, 'packages', name), join(scope, name))
  for (const name of ['spec', 'kit'])
    symlinkSync(join(root, 'packages', name), join(folder, 'packages', name))
  symlinkSync(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'))
  symlinkSync(join(root, 'node_modules/vitest'), join(folder, 'node_modules/vitest'))
  symlinkSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'))
  return folder
}

test('a component of every kind type-checks and has the right shape', async () => {
  const types = kinds.map(({ prefix }) => `${prefix}.some.thing`)
  const folder = generated(types)
  const workspace = readWorkspace(folder)
  const own = workspace.packages.filter(({ basename }) => basename.endsWith('-some-thing'))
  expect(own).toHaveLength(kinds.length)
  expect(
    (await shape.run({ root: folder, packages: own })).map(({ file, message }) => `${file} ${message}`),
  ).toEqual([])
  const stale = await references.run(workspace)
  expect(stale.filter(({ file }) => file.includes('-some-thing'))).toEqual([])

  const config = {
    extends: './tsconfig.base.json',
    compilerOptions: { composite: false, noEmit: true },
    include: types.map((type) => `packages/${type.replaceAll('.', '-')}`),
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(root, 'node_modules/ts7/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
})

test('names folder, package and title after the type', () => {
  const folder = generated(['bindings.azure.blobstorage'])
  const read = (file: string) =>
    readFileSync(join(folder, 'packages/bindings-azure-blobstorage', file), 'utf8')
  expect(JSON.parse(read('package.json'))).toMatchObject({ name: '@outrigger/bindings-azure-blobstorage' })
  expect(read('src/index.ts')).toContain("title: 'Azure Blobstorage'")
  expect(read('test/conformance.test.ts')).toContain('bindingConformance(definition')
  expect(readFileSync(join(folder, '.changeset/new-bindings-azure-blobstorage.md'), 'utf8')).toContain(
    ': minor',
  )
})

test('refuses what is no component type, and what exists', () => {
  const tree = createTree()
  expect(() => generate(tree, { type: 'cache.redis' })).toThrow(
    '"cache.redis" is no component type; types are state.*',
  )
  expect(() => generate(tree, { type: '../x' })).toThrow('no component type')
  generate(tree, { type: 'State.Foo' })
  expect(() => generate(tree, { type: 'state.foo' })).toThrow('packages/state-foo is there already')
  expect(kindOf('middleware.http.bearer').prefix).toBe('middleware.http')
})
