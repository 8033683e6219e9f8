// Only the boundaries between packages; everything else is oxlint's.
import nx from '@nx/eslint-plugin'
import parser from '@typescript-eslint/parser'
import { constraints, testFiles } from './tools/workspace/src/layers.ts'

const boundaries = (tests) => ({
  '@nx/enforce-module-boundaries': [
    'error',
    {
      enforceBuildableLibDependency: false,
      // A test may see its package as others do.
      allowCircularSelfDependency: tests,
      // Some files load a package late on purpose; the others need not.
      checkDynamicDependenciesExceptions: ['@outrigger/**'],
      allow: [],
      depConstraints: constraints(tests),
    },
  ],
})

export default [
  // The tools of the workspace are no packages: they import each other's files.
  { ignores: ['**/dist/**', '**/generated/**', '.cache/**', '.nx/**', 'tools/workspace*/**'] },
  {
    files: ['{packages,tools,examples}/**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parser },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: boundaries(false),
  },
  { files: testFiles, rules: boundaries(true) },
]
