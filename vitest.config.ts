import { defineConfig } from 'vitest/config'

const conditions = ['@outrigger/source', 'module', 'node', 'development']
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
}

// Two projects for the whole workspace: one process each costs far less than one per package.
export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'tools/*/src/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['packages/*/test/**/*.test.ts', 'tools/*/test/**/*.test.ts'],
          pool: 'forks',
          execArgv: ['--conditions=@outrigger/source'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
