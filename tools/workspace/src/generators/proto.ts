import { globSync, mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { capture, node } from '../run.ts'
import { exists, GeneratorError, header, type Generator } from './output.ts'

const folder = 'packages/proto'
const target = `${folder}/src/generated`

/** The messages and services of packages/proto/proto as TypeScript. */
export const protoFiles: Generator = async (workspace) => {
  if (!exists(workspace, `${folder}/proto`)) return []
  const tools = join(workspace.root, folder, 'node_modules/@bufbuild')
  const cache = join(workspace.root, '.cache')
  mkdirSync(cache, { recursive: true })
  const out = mkdtempSync(join(cache, 'proto-'))
  try {
    const template = {
      version: 'v2',
      plugins: [
        {
          local: [node, join(tools, 'protoc-gen-es/bin/protoc-gen-es')],
          out,
          // One start of the plugin instead of one for each folder.
          strategy: 'all',
          opt: ['target=ts', 'import_extension=ts'],
        },
      ],
    }
    const { code, stderr } = await capture(
      node,
      [join(tools, 'buf/bin/buf'), 'generate', '.', '--template', JSON.stringify(template)],
      { cwd: join(workspace.root, folder, 'proto') },
    )
    if (code !== 0) throw new GeneratorError(`${folder}/proto`, stderr.trim(), 'mend the .proto file')
    const files = globSync('**/*.ts', { cwd: out }).sort()
    const left = globSync('**/*.ts', { cwd: join(workspace.root, target) }).find(
      (file) => !files.includes(file),
    )
    if (left) throw new GeneratorError(`${target}/${left}`, 'has no .proto file any more', 'delete it')
    return files.map((file) => ({
      file: `${target}/${file}`,
      content: `${header}${withoutEnums(readFileSync(join(out, file), 'utf8'))}`,
    }))
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

/** Enums as objects with a type of the same name: what Node.js can run by taking the types away. */
export function withoutEnums(text: string): string {
  return text.replace(/^export enum (\w+) \{$([^]*?)^\}$/gm, (_, name: string, members: string) => {
    const properties = members.replace(/^( +\w+) = (-?\d+),$/gm, '$1: $2,')
    return `export const ${name} = {${properties}} as const;\n\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`
  })
}
