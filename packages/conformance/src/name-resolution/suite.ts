import type { NameResolutionCapability, NameResolver, NameResolverDefinition } from '@outrigger/spec'
import { commonCases } from '../common.ts'
import { registerSuite, type Suite } from '../suite.ts'
import type { NameResolutionSuiteOptions } from './options.ts'
import { registering } from './register.ts'
import { resolving } from './resolve.ts'
import { watching } from './watch.ts'

export const nameResolutionSuite: Suite<NameResolutionCapability, NameResolver, NameResolutionSuiteOptions> =
  {
    kind: 'name resolver',
    cases: [
      ...commonCases<NameResolutionCapability, NameResolver, NameResolutionSuiteOptions>({
        contract: 'nameresolution/1',
        typePrefix: 'nameresolution',
        capabilities: ['register', 'watch', 'local'],
        methods: { register: ['register'], watch: ['watch'] },
      }),
      ...resolving,
      ...registering,
      ...watching,
    ],
  }

/** Registers the tests that a name resolver must pass. */
export function nameResolutionConformance(
  definition: NameResolverDefinition,
  options: NameResolutionSuiteOptions,
): void {
  registerSuite(nameResolutionSuite, definition, options)
}
