import type { Tree } from '@nx/devkit'
import { kindOf, type Kind } from './kinds.ts'

export interface Options {
  readonly type: string
  readonly title?: string
}

/** Writes the folder of a new component package. It type-checks at once; its conformance test fails until it is written. */
export default function generate(tree: Tree, options: Options): () => void {
  const type = options.type.toLowerCase()
  if (!/^[a-z0-9]+([.-][a-z0-9]+)+$/.test(type)) throw new Error(`"${options.type}" is no component type`)
  const kind = kindOf(type)
  const name = type.replaceAll('.', '-')
  const folder = `packages/${name}`
  if (tree.exists(`${folder}/package.json`)) throw new Error(`${folder} is there already`)
  const own = type.slice(kind.prefix.length + 1)
  const title =
    options.title ??
    own.replace(/(^|[.-])(\w)/g, (_, dot: string, c: string) => (dot ? ' ' : '') + c.toUpperCase())
  const write = (file: string, content: string) => tree.write(`${folder}/${file}`, content)
  write('package.json', manifest(name, type, title, kind))
  write('tsconfig.json', tsconfig(name))
  write('README.md', readme(name, type, title, kind))
  write('src/index.ts', index(type, title, kind))
  write('src/create.ts', create(type, kind))
  if (kind.suite) write('test/conformance.test.ts', test(kind.suite))
  tree.write(
    `.changeset/new-${name}.md`,
    `---\n'@outrigger/${name}': minor\n---\n\nThe ${kind.title} \`${type}\`.\n`,
  )
  return () => {
    process.stdout.write(`Now: npx pnpm install, write ${folder}/src/create.ts, npm run generate\n`)
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

function manifest(name: string, type: string, title: string, kind: Kind): string {
  const built = { types: './dist/index.d.ts', default: './dist/index.js' }
  const manifestPath = './package.json'
  return json({
    name: `@outrigger/${name}`,
    version: '0.0.0',
    description: `${type}: a ${kind.title} on ${title}`,
    license: 'Apache-2.0',
    keywords: ['outrigger', 'dapr'],
    type: 'module',
    engines: { node: '>=22.18' },
    sideEffects: false,
    exports: { '.': { '@outrigger/source': './src/index.ts', ...built }, './package.json': manifestPath },
    files: ['dist', 'metadata.schema.json'],
    publishConfig: { access: 'public', exports: { '.': built, './package.json': manifestPath } },
    dependencies: { '@outrigger/kit': 'workspace:^', '@outrigger/spec': 'workspace:^' },
    devDependencies: {
      '@outrigger/conformance': 'workspace:^',
      '@outrigger/services': 'workspace:^',
      '@outrigger/testkit': 'workspace:^',
      vitest: '5.1.1',
    },
    nx: { tags: ['layer:component'] },
  })
}

function tsconfig(name: string): string {
  return json({
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      tsBuildInfoFile: `../../.cache/tsc/${name}.tsbuildinfo`,
    },
    include: ['src'],
    exclude: ['src/**/*.test.ts'],
    references: [{ path: '../kit' }, { path: '../spec' }],
  })
}

function readme(name: string, type: string, title: string, kind: Kind): string {
  return `# @outrigger/${name}

The ${kind.title} \`${type}\`: ${title}.

\`\`\`yaml
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: my-${name}
spec:
  type: ${type}
  version: v1
  metadata:
    - name: url
      value: "http://localhost"
\`\`\`

## Metadata

<!-- metadata:start -->
<!-- metadata:end -->
`
}

function index(type: string, title: string, { define, from }: Kind): string {
  return `import { ${define} } from '${from}'
import { create, metadata } from './create.ts'

export default ${define}({
  type: '${type}',
  title: '${title.replaceAll("'", "\\'")}',
  versions: {
    v1: { metadata, capabilities: [], create },
  },
})
`
}

function create(type: string, { instance, from }: Kind): string {
  const spec = "import { ComponentError, type ComponentContext } from '@outrigger/spec'"
  const imports =
    from === '@outrigger/spec'
      ? `import { ComponentError, type ComponentContext, type ${instance} } from '@outrigger/spec'`
      : `${spec}\nimport type { ${instance} } from '${from}'`
  return `import { fields, string } from '@outrigger/kit'
${imports}

export const metadata = fields({
  url: string({ description: 'Where the service is.', required: true, example: 'http://localhost' }),
})

export interface Settings {
  readonly url: string
}

/** Connects to the service; resolves when it can be used. */
export function create(context: ComponentContext<Settings>): Promise<${instance}> {
  const { url } = context.metadata
  return Promise.reject(new ComponentError('UNSUPPORTED', \`${type} is not written yet (\${url})\`))
}
`
}

function test({ name, options }: NonNullable<Kind['suite']>): string {
  return `import { ${name} } from '@outrigger/conformance'
import definition from '../src/index.ts'

${name}(definition, { properties: () => ({ url: 'http://localhost' })${options} })
`
}
