import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readDefinition } from '../definitions.ts'
import { production } from '../layers.ts'
import {
  lineOf,
  type Check,
  type Finding,
  type Manifest,
  type Package,
  type Workspace,
} from '../workspace.ts'

const nodeRange = '>=22.18'

/** Every package has the same shape, so that who knows one knows all. */
export const shape: Check = {
  name: 'package shape',
  async run(workspace) {
    const findings: Finding[] = []
    for (const pack of workspace.packages.filter(({ folder }) => !folder.startsWith('examples/'))) {
      findings.push(...manifestFindings(workspace, pack))
      if (pack.layer === 'component' && pack.filled)
        findings.push(...(await definitionFindings(workspace, pack)))
    }
    return findings
  },
}

function manifestFindings(workspace: Workspace, pack: Package): Finding[] {
  const { manifest, folder, basename, layer } = pack
  const file = `${folder}/package.json`
  const findings: Finding[] = []
  const expect = (right: boolean, field: string, message: string, remedy: string) => {
    if (!right) findings.push({ file, line: lineOf(workspace, file, `"${field}"`), message, remedy })
  }
  const name = `@outrigger/${basename}`
  expect(manifest.name === name, 'name', `the name is ${manifest.name}`, `it is ${name}, after the folder`)
  expect(
    layer in production,
    'tags',
    `the layer is "${layer}"`,
    `"nx": { "tags": ["layer:..."] } with one of ${Object.keys(production).join(', ')}`,
  )
  expect(manifest.type === 'module', 'type', 'is not an ES module', '"type": "module"')
  expect(Boolean(manifest.description), 'description', 'has no description', 'say in one line what it is')
  expect(manifest.license === 'Apache-2.0', 'license', 'has no licence', '"license": "Apache-2.0"')
  if (!folder.startsWith('packages/')) return findings

  expect(
    manifest.engines?.['node'] === nodeRange,
    'engines',
    'engines.node is missing or different',
    `"node": "${nodeRange}"`,
  )
  expect(
    exportsAreBuilt(manifest),
    'exports',
    'an export does not name source, types and default',
    'as in packages/spec/package.json',
  )
  for (const [command, target] of Object.entries(manifest.bin ?? {})) {
    const source = target.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
    const right = !pack.filled || existsSync(join(workspace.root, folder, source))
    expect(
      right,
      'bin',
      `the command ${command} has no source ${source}`,
      'write it or take the command away',
    )
  }
  if (manifest.private) return findings

  expect(
    manifest.publishConfig?.access === 'public',
    'publishConfig',
    'would not be published for all',
    '"publishConfig": { "access": "public" }',
  )
  expect(
    isDeepStrictEqual(manifest.publishConfig?.exports ?? manifest.exports, withoutSource(manifest.exports)),
    'publishConfig',
    'publishConfig.exports is not exports without the source condition',
    'copy "exports" and take "@outrigger/source" away',
  )
  expect(manifest.files?.includes('dist') === true, 'files', 'does not publish dist', '"files": ["dist"]')
  if (layer === 'component') {
    const schema = 'metadata.schema.json'
    expect(
      manifest.files?.includes(schema) === true,
      'files',
      `does not publish ${schema}`,
      `"files": ["dist", "${schema}"]`,
    )
  }
  for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
    const own = dependency.startsWith('@outrigger/')
    const right = own ? range === 'workspace:^' : /^(npm:.*@)?\d+\.\d+\.\d+/.test(range)
    expect(
      right,
      dependency,
      `${dependency} has the range ${range}`,
      own ? '"workspace:^"' : 'an exact version',
    )
  }
  if (pack.filled && !existsSync(join(workspace.root, folder, 'README.md'))) {
    const remedy =
      layer === 'component' ? 'npm run generate writes the first one' : 'write what it is and how it is used'
    findings.push({ file: `${folder}/README.md`, message: 'is missing', remedy })
  }
  return findings
}

/** Every export has source, types and default; there is a main one unless the package is only a command. */
function exportsAreBuilt({ exports, bin }: Manifest): boolean {
  if (exports?.['./package.json'] !== './package.json' || !(exports['.'] ?? bin)) return false
  return Object.entries(exports).every(([key, to]) => {
    if (typeof to === 'string') return !to.endsWith('.ts') && key !== '.'
    const path = to['default']?.replace(/^\.\/dist\/(.*)\.js$/, '$1')
    return isDeepStrictEqual(Object.entries(to), [
      ['@outrigger/source', `./src/${path}.ts`],
      ['types', `./dist/${path}.d.ts`],
      ['default', `./dist/${path}.js`],
    ])
  })
}

function withoutSource(exports: Manifest['exports']): Manifest['exports'] {
  return Object.fromEntries(
    Object.entries(exports ?? {}).map(([key, to]) => {
      if (typeof to === 'string') return [key, to]
      return [
        key,
        Object.fromEntries(Object.entries(to).filter(([condition]) => condition !== '@outrigger/source')),
      ]
    }),
  )
}

async function definitionFindings(workspace: Workspace, pack: Package): Promise<Finding[]> {
  const file = `${pack.folder}/src/index.ts`
  const read = await readDefinition(workspace, pack)
  if ('problem' in read)
    return [{ file, line: 1, message: read.problem, remedy: 'export default define...({ type, ... })' }]
  const { type, aliases = [] } = read.definition
  const findings: Finding[] = []
  const dashed = type.replaceAll('.', '-')
  if (dashed !== pack.basename) {
    const remedy = `folder and package are the type with dashes: packages/${dashed}`
    findings.push({ file, line: lineOf(workspace, file, 'type:'), message: `defines ${type}`, remedy })
  }
  for (const name of [type, ...aliases].filter((text) => !/^[a-z0-9]+([.-][a-z0-9]+)+$/.test(text))) {
    findings.push({
      file,
      line: lineOf(workspace, file, name),
      message: `"${name}" is no type name`,
      remedy: 'lower case, parts between dots',
    })
  }
  return findings
}
