import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackages, entries } from '../src/executors/build.ts'
import { typecheckPackages } from '../src/executors/typecheck.ts'

const root = join(import.meta.dirname, '../../..')
let folder: string

function write(file: string, content: string | object): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
}

function writePackage(
  name: string,
  files: Record<string, string>,
  uses: string[] = [],
  more: object = {},
): void {
  const exports = {
    '@outrigger/source': './src/index.ts',
    types: './dist/index.d.ts',
    default: './dist/index.js',
  }
  write(`packages/${name}/package.json`, {
    name: `@x/${name}`,
    type: 'module',
    exports: { '.': exports },
    ...more,
  })
  write(`packages/${name}/tsconfig.json`, {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      tsBuildInfoFile: `../../.cache/tsc/${name}.tsbuildinfo`,
    },
    include: ['src'],
    exclude: ['src/**/*.test.ts'],
    references: uses.map((other) => ({ path: `../${other}` })),
  })
  for (const [file, content] of Object.entries(files)) write(`packages/${name}/${file}`, content)
  mkdirSync(join(folder, 'node_modules/@x'), { recursive: true })
  symlinkSync(join(folder, 'packages', name), join(folder, 'node_modules/@x', name))
}

const task = (name: string) => ({ id: `@x/${name}:build`, root: `packages/${name}` })
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-build-'))
  for (const file of ['tsconfig.base.json', 'tsconfig.test.json'])
    symlinkSync(join(root, file), join(folder, file))
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['@types', 'ts7'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  writePackage('good', {
    'src/index.ts': "import { sep } from 'node:path'\nexport const good = sep.length\n",
  })
  const bin =
    "#!/usr/bin/env node\nimport { good } from '@x/good'\nimport { own } from './own.ts'\nprocess.stdout.write(`${good}${own}`)\n"
  writePackage(
    'user',
    {
      'src/index.ts': "export * from './own.ts'\n",
      'src/own.ts': 'export const own = 1\n',
      'src/bin.ts': bin,
    },
    ['good'],
    { bin: { user: './dist/bin.js' } },
  )
  writePackage('bad', { 'src/index.ts': 'export const bad: string = 1\n' })
  writePackage('broken', { 'src/index.ts': "export * from './gone.ts'\n" })
  writePackage('empty', {})
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('packages are built together and only the bad ones fail', async () => {
  const outcomes = await buildPackages(folder, ['good', 'user', 'bad', 'broken', 'empty'].map(task))
  const failed = Object.entries(outcomes).filter(([, { success }]) => !success)
  expect(failed.map(([id]) => id)).toEqual(['@x/bad:build', '@x/broken:build'])
  expect(outcomes['@x/bad:build']?.terminalOutput).toContain('packages/bad/src/index.ts(1,14): error TS2322')
  expect(outcomes['@x/broken:build']?.terminalOutput).toContain('gone.ts')
})

test('own files are bundled, other packages and node: stay imports, executables can be run', async () => {
  await buildPackages(folder, ['good', 'user'].map(task))
  expect(entries(join(folder, 'packages/user'))).toEqual(['src/index.ts', 'src/bin.ts'])
  expect(read('packages/good/dist/index.js')).toContain('"node:path"')
  expect(read('packages/user/dist/bin.js')).toMatch(/^#!\/usr\/bin\/env node\n/)
  expect(read('packages/user/dist/bin.js')).toContain('"@x/good"')
  expect(statSync(join(folder, 'packages/user/dist/bin.js')).mode & 0o111).toBe(0o111)
  expect(existsSync(join(folder, 'packages/user/dist/own.d.ts'))).toBe(true)
})

test('a build after files were removed leaves none of theirs', async () => {
  write('packages/good/src/old.ts', 'export const old = 1\n')
  await buildPackages(folder, [task('good')])
  expect(existsSync(join(folder, 'packages/good/dist/old.d.ts'))).toBe(true)
  rmSync(join(folder, 'packages/good/src/old.ts'))
  await buildPackages(folder, [task('good')])
  expect(existsSync(join(folder, 'packages/good/dist/old.d.ts'))).toBe(false)
  expect(existsSync(join(folder, 'packages/good/dist/index.d.ts'))).toBe(true)
})

test('tests are type-checked, and an error is named as that package', async () => {
  write('packages/user/test/x.test.ts', "import { good } from '@x/good'\nexport const text: string = good\n")
  const outcomes = await typecheckPackages(folder, ['good', 'user'].map(task))
  expect(outcomes['@x/good:build']).toEqual({ success: true, terminalOutput: '' })
  expect(outcomes['@x/user:build']?.terminalOutput).toContain(
    'packages/user/test/x.test.ts(2,14): error TS2322',
  )
})
