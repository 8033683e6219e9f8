import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import ts from 'typescript'
import type { Check, Finding } from '../workspace.ts'

/** The package that an import names: `@scope/name/sub` -> `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Published code imports only what its package depends on; what only tests have is not installed with it. */
export const imports: Check = {
  name: 'imports are dependencies',
  run({ root, packages }) {
    return packages
      .filter(({ manifest, folder }) => folder.startsWith('packages/') && !manifest.private)
      .flatMap(({ folder, manifest }) => {
        const allowed = new Set([
          manifest.name,
          ...Object.keys(manifest.dependencies ?? {}),
          ...Object.keys(manifest.peerDependencies ?? {}),
          ...Object.keys(manifest.optionalDependencies ?? {}),
        ])
        return globSync('src/**/*.ts', { cwd: join(root, folder) })
          .filter((file) => !file.endsWith('.test.ts'))
          .sort()
          .flatMap((source) => {
            const file = `${folder}/${source}`
            const text = readFileSync(join(root, file), 'utf8')
            return ts
              .preProcessFile(text, true, true)
              .importedFiles.filter(({ fileName }) => !/^[./#]/.test(fileName) && !isBuiltin(fileName))
              .filter(({ fileName }) => !allowed.has(packageOf(fileName)))
              .map(({ fileName, pos }): Finding => ({
                file,
                line: text.slice(0, pos).split('\n').length,
                message: `imports ${packageOf(fileName)}, which is no dependency of ${manifest.name}`,
                remedy: `add it to "dependencies" in ${folder}/package.json`,
              }))
          })
      })
  },
}
