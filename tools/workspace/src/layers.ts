/**
 * Who may import whom, by the tag `layer:...` in each package.json. The table of docs/architecture.md, in a
 * form that lint can read.
 */
export const production: Readonly<Record<string, readonly string[]>> = {
  spec: [],
  wire: [],
  kit: ['spec'],
  proto: ['wire'],
  host: ['spec', 'wire'],
  security: ['host', 'proto', 'wire'],
  client: ['spec', 'proto', 'wire'],
  common: ['spec', 'kit'],
  component: ['spec', 'kit', 'common'],
  conformance: ['spec', 'kit'],
  runtime: ['spec', 'wire', 'host', 'proto', 'security', 'client'],
  control: ['wire', 'host', 'proto', 'security'],
  cli: ['spec', 'host', 'proto', 'security', 'wire', 'client', 'runtime'],
  testkit: ['spec', 'wire', 'host', 'proto'],
  services: ['testkit'],
  tools: ['*'],
  examples: ['*'],
}

/** What the tests of a layer may import on top of that. */
export function forTests(layer: string): readonly string[] {
  const helpers = ['testkit', 'services', 'kit']
  return layer === 'component' || layer === 'common' ? [...helpers, 'conformance'] : helpers
}

/** The files that count as tests. */
export const testFiles = ['**/*.test.ts', '**/test/**/*.ts', '**/bench/**/*.ts']

interface Constraint {
  readonly sourceTag: string
  readonly onlyDependOnLibsWithTags: string[]
}

/** The constraints of `@nx/enforce-module-boundaries`. */
export function constraints(tests: boolean): Constraint[] {
  return Object.entries(production).map(([layer, allowed]) => {
    const all = tests ? [...allowed, ...forTests(layer)] : allowed
    return {
      sourceTag: `layer:${layer}`,
      onlyDependOnLibsWithTags: all.includes('*') ? ['*'] : [...new Set(all)].map((name) => `layer:${name}`),
    }
  })
}
