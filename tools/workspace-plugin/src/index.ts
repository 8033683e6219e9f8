import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CreateNodesV2, TargetConfiguration } from '@nx/devkit'

const typecheck: TargetConfiguration = {
  executor: '@outrigger/workspace-plugin:typecheck',
  cache: true,
  inputs: ['everything', '^production'],
  outputs: [],
}

const build = (name: string): TargetConfiguration => ({
  executor: '@outrigger/workspace-plugin:build',
  dependsOn: ['^build'],
  cache: true,
  inputs: ['production', '^production'],
  outputs: ['{projectRoot}/dist', `{workspaceRoot}/.cache/tsc/${name}.tsbuildinfo`],
})

/** Every folder with a package.json has a type check, those under packages/ a build as well. */
export const createNodesV2: CreateNodesV2 = [
  '{packages,tools,examples}/*/package.json',
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file)
      const targets: Record<string, TargetConfiguration> = {}
      if (existsSync(join(workspaceRoot, root, 'src'))) {
        targets['typecheck'] = typecheck
        if (root.startsWith('packages/')) targets['build'] = build(root.slice('packages/'.length))
      }
      return [file, { projects: { [root]: { targets } } }]
    }),
]
