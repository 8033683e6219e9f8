// Only the boundaries between packages; everything else is oxlint's.
import nx from '@nx/eslint-plugin'
import parser from '@typescript-eslint/parser'
import { constraints, testFiles } from './tools/workspace/src/layers.ts'

const boundaries = (tests) => ({
  '@nx/enforce-module-boundaries': [
    'error',
    { enforceBuildableLibDependency: false, allow: [], depConstraints: constraints(tests) },
  ],
})

export default [
  { ignores: ['**/dist/**', '**/generated/**', '.cache/**', '.nx/**'] },
  {
    files: ['{packages,tools,examples}/**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parser },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: boundaries(false),
  },
  { files: testFiles, rules: boundaries(true) },
]
