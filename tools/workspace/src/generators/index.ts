import { existsSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { kindOf, readDefinition, type Definition } from '../definitions.ts'
import type { Finding, Package, Workspace } from '../workspace.ts'
import { readme, schema } from './component.ts'
import { errorPage } from './errors.ts'
import {
  exists,
  GeneratorError,
  header,
  replaceMarked,
  table,
  type Generator,
  type Output,
} from './output.ts'
import { protoFiles } from './proto.ts'

interface Component {
  readonly pack: Package
  readonly definition: Definition
}

/** The components that can be loaded; those that cannot are the shape check's to report. */
async function components(workspace: Workspace): Promise<Component[]> {
  const found: Component[] = []
  for (const pack of workspace.packages) {
    if (pack.layer !== 'component' || !pack.filled) continue
    const read = await readDefinition(workspace, pack)
    if ('definition' in read) found.push({ pack, definition: read.definition })
  }
  return found
}

const componentFiles: Generator = async (workspace) => {
  const found = await components(workspace)
  return found.flatMap(({ pack, definition }) => [
    readme(workspace, pack, definition),
    schema(pack, definition),
  ])
}

const catalogue: Generator = async (workspace) => {
  if (!workspace.packages.some(({ folder }) => folder === 'packages/cli')) return []
  const found = await components(workspace)
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`
  const entries = found.map(({ pack, definition }) =>
    [
      '  {',
      `    type: ${quoted(definition.type)},`,
      `    aliases: [${(definition.aliases ?? []).map(quoted).join(', ')}],`,
      `    package: ${quoted(pack.manifest.name)},`,
      `    kind: ${quoted(kindOf(definition))},`,
      `    title: ${quoted(definition.title)},`,
      '  },',
    ].join('\n'),
  )
  const content = `${header}
/** A component that this release knows, installed or not. */
export interface CatalogueEntry {
  readonly type: string
  readonly aliases: readonly string[]
  readonly package: string
  readonly kind: string
  readonly title: string
}

export const catalogue: readonly CatalogueEntry[] = [
${entries.join('\n')}
]
`
  return [{ file: 'packages/cli/src/generated/catalogue.ts', content }]
}

const packageList: Generator = (workspace) => {
  if (!exists(workspace, 'README.md')) return []
  const listed = workspace.packages.filter(
    ({ folder, manifest }) => folder.startsWith('packages/') && !manifest.private,
  )
  const rows = (part: readonly Package[]) =>
    table(
      ['Package', 'What it is'],
      part.map(({ folder, manifest }) => [`[${manifest.name}](${folder})`, manifest.description ?? '']),
    )
  const parts = listed.filter(({ layer }) => layer === 'component')
  const rest = listed.filter(({ layer }) => layer !== 'component')
  const content = `**Components** (install those that your YAML names)\n\n${rows(parts)}\n\n**Everything else**\n\n${rows(rest)}`
  return [replaceMarked(workspace, { file: 'README.md', name: 'packages', content })]
}

const generators: readonly Generator[] = [componentFiles, catalogue, packageList, protoFiles, errorPage]

/** Runs every generator; returns the files that are not as they should be, and what stands in the way. */
export async function staleFiles(workspace: Workspace): Promise<{ stale: Output[]; problems: Finding[] }> {
  const stale: Output[] = []
  const problems: Finding[] = []
  for (const generator of generators) {
    try {
      for (const output of await generator(workspace)) {
        const file = join(workspace.root, output.file)
        if (!existsSync(file) || readFileSync(file, 'utf8') !== output.content) stale.push(output)
      }
    } catch (error) {
      if (!(error instanceof GeneratorError)) throw error
      problems.push({ file: error.file, message: error.message, remedy: error.remedy })
    }
  }
  return { stale, problems }
}

export function write(workspace: Workspace, { file, content }: Output): void {
  const path = join(workspace.root, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
