import type { ComponentDefinition, LiveComponent } from '@outrigger/spec'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { versionOf } from './create.ts'
import { expectedCapabilities, Fixture, type SuiteOptions } from './fixture.ts'

type Instance = LiveComponent & { readonly capabilities: ReadonlySet<string> }

/** One thing that a component of a kind must do. */
export interface Case<C extends string, I extends Instance, O extends SuiteOptions> {
  readonly name: string
  /** Belongs to the suite only where all of these are expected of the instance. */
  readonly needs?: readonly C[] | undefined
  /** Belongs to the suite only where none of these is. */
  readonly without?: readonly C[] | undefined
  /** Says why the case does not belong to the suite with these options; `undefined` when it does. */
  readonly unless?: ((options: O) => string | undefined) | undefined
  /** Says which optional part, that no capability tells of, this instance lacks; the case is skipped then. */
  readonly lacks?: ((instance: I) => string | undefined) | undefined
  run(fixture: Fixture<C, I, O>): Promise<void>
}

/** Everything that components of one kind must do. */
export interface Suite<C extends string, I extends Instance, O extends SuiteOptions> {
  readonly kind: string
  readonly cases: readonly Case<C, I, O>[]
}

export interface CaseResult {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** Why it failed. */
  readonly error?: unknown
  /** Why it was skipped. */
  readonly reason?: string | undefined
}

const caseTimeoutMs = 60_000

/** Why a case does not belong to the suite of this component. */
function whyNot<C extends string, I extends Instance, O extends SuiteOptions>(
  item: Case<C, I, O>,
  definition: ComponentDefinition<string, C, I>,
  options: O,
): string | undefined {
  const has = expectedCapabilities(definition, options)
  const missing = item.needs?.find((capability) => !has.has(capability))
  if (missing !== undefined) return `it does not have ${missing}`
  const present = item.without?.find((capability) => has.has(capability))
  if (present !== undefined) return `it has ${present}`
  return item.unless?.(options)
}

async function runCase<C extends string, I extends Instance, O extends SuiteOptions>(
  item: Case<C, I, O>,
  fixture: Fixture<C, I, O>,
): Promise<void> {
  try {
    await item.run(fixture)
  } finally {
    await fixture.release()
  }
}

/** Registers a suite with vitest. Cases that do not belong to this component are left out. */
export function registerSuite<C extends string, I extends Instance, O extends SuiteOptions>(
  suite: Suite<C, I, O>,
  definition: ComponentDefinition<string, C, I>,
  options: O,
): void {
  const [name] = versionOf(definition, options.version)
  describe(`${suite.kind} conformance: ${definition.type}/${name}`, () => {
    let fixture: Fixture<C, I, O> | undefined
    beforeAll(async () => {
      fixture = await Fixture.open(definition, options)
    }, caseTimeoutMs)
    afterAll(async () => {
      await fixture?.close()
    }, caseTimeoutMs)
    for (const item of suite.cases) {
      if (whyNot(item, definition, options) !== undefined) continue
      test(item.name, { timeout: caseTimeoutMs }, async (context) => {
        if (fixture === undefined) throw new Error('the component was not created')
        const reason = item.lacks?.(fixture.instance)
        if (reason !== undefined) context.skip(reason)
        await runCase(item, fixture)
      })
    }
  })
}

/**
 * Runs a suite without registering tests and returns what came of each case: this is how the suites themselves are tested.
 * @param only runs just the cases of these names; a name that does not exist is an error
 */
export async function runSuite<C extends string, I extends Instance, O extends SuiteOptions>(
  suite: Suite<C, I, O>,
  definition: ComponentDefinition<string, C, I>,
  options: O,
  only?: readonly string[],
): Promise<readonly CaseResult[]> {
  const unknown = only?.find((name) => suite.cases.every((item) => item.name !== name))
  if (unknown !== undefined) throw new Error(`the ${suite.kind} suite has no case named "${unknown}"`)
  const fixture = await Fixture.open(definition, options)
  const results: CaseResult[] = []
  try {
    for (const item of suite.cases) {
      if (only !== undefined && !only.includes(item.name)) continue
      const reason = whyNot(item, definition, options) ?? item.lacks?.(fixture.instance)
      if (reason !== undefined) {
        results.push({ name: item.name, status: 'skipped', reason })
        continue
      }
      try {
        await runCase(item, fixture)
        results.push({ name: item.name, status: 'passed' })
      } catch (error) {
        results.push({ name: item.name, status: 'failed', error })
      }
    }
  } finally {
    await fixture.close()
  }
  return results
}
