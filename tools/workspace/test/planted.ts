import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../src/run.ts'
import { readWorkspace, type Check } from '../src/workspace.ts'

type Files = Record<string, string | object>

const built = { types: './dist/index.d.ts', default: './dist/index.js' }

/** The manifest of a package in which nothing is wrong, with changes. */
export function manifest(name: string, layer: string, changes: object = {}): object {
  return {
    name: `@outrigger/${name}`,
    version: '1.0.0',
    description: 'Something',
    license: 'Apache-2.0',
    type: 'module',
    engines: { node: '>=22.18' },
    exports: { '.': { '@outrigger/source': './src/index.ts', ...built }, './package.json': './package.json' },
    files: ['dist', 'metadata.schema.json'],
    publishConfig: { access: 'public', exports: { '.': built, './package.json': './package.json' } },
    nx: { tags: [`layer:${layer}`] },
    ...changes,
  }
}

/** A component package in which nothing is wrong. */
export function component(type: string, changes: object = {}): Files {
  const name = type.replaceAll('.', '-')
  const field = {
    name: 'path',
    aliases: ['file'],
    type: 'string',
    description: 'Where it is | or not.',
    required: true,
    example: '/tmp/x',
    sensitive: false,
  }
  const definition = {
    contract: 'state/1',
    type,
    title: "Somebody's store",
    versions: { v1: { metadata: { fields: [field], openPrefixes: ['header:'] }, capabilities: ['etag'] } },
    ...changes,
  }
  return {
    [`packages/${name}/package.json`]: manifest(name, 'component'),
    [`packages/${name}/src/index.ts`]: `export default ${JSON.stringify(definition, null, 2)}\n`,
    [`packages/${name}/tsconfig.json`]: { references: [] },
  }
}

/** A workspace in a temporary folder, with this workspace's tools. */
export class Planted {
  readonly root = mkdtempSync(join(tmpdir(), 'outrigger-planted-'))

  constructor(files: Files) {
    this.write(files)
    mkdirSync(join(this.root, 'node_modules'))
    for (const name of ['.bin', '@types', 'oxfmt', 'oxlint', 'oxlint-tsgolint']) {
      symlinkSync(join(root, 'node_modules', name), join(this.root, 'node_modules', name))
    }
  }

  get workspace() {
    return readWorkspace(this.root)
  }

  write(files: Files): void {
    for (const [file, content] of Object.entries(files)) {
      const path = join(this.root, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`)
    }
  }

  /** The findings of a check as `file:line message`. */
  async findings(check: Check): Promise<string[]> {
    const found = await check.run(this.workspace)
    return found.map(
      ({ file, line, message, remedy }) =>
        `${file}:${line ?? 1} ${message}${remedy === '' ? ' (no remedy)' : ''}`,
    )
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
