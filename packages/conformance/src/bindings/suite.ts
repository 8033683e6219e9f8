import type { Binding, BindingCapability, BindingDefinition } from '@outrigger/spec'
import { expect } from 'vitest'
import { commonCases } from '../common.ts'
import { registerSuite, type Suite } from '../suite.ts'
import { inputCases } from './input.ts'
import type { BindingSuiteOptions } from './options.ts'
import { outputCases } from './output.ts'

export const bindingSuite: Suite<BindingCapability, Binding, BindingSuiteOptions> = {
  kind: 'binding',
  cases: [
    ...commonCases<BindingCapability, Binding, BindingSuiteOptions>({
      contract: 'bindings/1',
      typePrefix: 'bindings',
      capabilities: ['input', 'output', 'streaming'],
      methods: { input: ['read'], output: ['invoke'] },
    }),
    {
      name: 'a binding has an input or an output',
      run: ({ instance }) => {
        expect(instance.capabilities.has('input') || instance.capabilities.has('output')).toBe(true)
        return Promise.resolve()
      },
    },
    ...outputCases,
    ...inputCases,
  ],
}

/** Registers the tests that a binding must pass. */
export function bindingConformance(definition: BindingDefinition, options: BindingSuiteOptions): void {
  registerSuite(bindingSuite, definition, options)
}
