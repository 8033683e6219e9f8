import type { ComponentDefinition, LiveComponent } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { runSuite, type Suite, type SuiteOptions } from '../src/index.ts'

type Instance = LiveComponent & { readonly capabilities: ReadonlySet<string> }

/** A component that is broken in one way, and the cases that must notice. */
export interface Mutant<I> {
  readonly title: string
  /** Breaks an instance that was just created. */
  readonly break: (instance: I) => void
  readonly caughtBy: readonly string[]
  /** What is expected of the mutant; as of the reference without it. */
  readonly capabilities?: readonly string[]
}

/** A suite proves itself: it passes on a reference and fails on every mutant of it. */
export function proveSuite<C extends string, I extends Instance, O extends SuiteOptions>(
  suite: Suite<C, I, O>,
  definitionOf: (mutate?: (instance: I) => void) => ComponentDefinition<string, C, I>,
  options: O,
  mutants: readonly Mutant<I>[],
  doesNotApply: readonly string[] = [],
  /** Mutants may wait for their deadlines side by side, unless what is behind them tells all of them of everything. */
  concurrent = true,
): void {
  describe(`the ${suite.kind} suite`, () => {
    test('names every case once', () => {
      const names = suite.cases.map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
    })

    test('passes on the reference, and skips just what is said', async () => {
      const results = await runSuite(suite, definitionOf(), options)
      expect(results.filter(({ status }) => status === 'failed')).toEqual([])
      const skipped = results.filter(({ status }) => status === 'skipped').map(({ name }) => name)
      expect(skipped.toSorted()).toEqual(doesNotApply.toSorted())
    })

    for (const mutant of mutants) {
      test(`fails on a component that ${mutant.title}`, { concurrent }, async () => {
        const impatient = {
          ...options,
          capabilities: mutant.capabilities,
          deadlineMs: 1500,
          redeliveryDeadlineMs: 1000,
        }
        const results = await runSuite(suite, definitionOf(mutant.break), impatient, mutant.caughtBy)
        const statuses = Object.fromEntries(results.map(({ name, status }) => [name, status]))
        expect(statuses).toEqual(Object.fromEntries(mutant.caughtBy.map((name) => [name, 'failed'])))
      })
    }
  })
}
