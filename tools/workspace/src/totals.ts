import { writeFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'

export interface SkippedTest {
  readonly name: string
  readonly reason: string
}

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly SkippedTest[]
}

/** The last line of a test run. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`
}

/** Why a test was skipped: its own note, or what the name of one of its suites says in `[skipped: ...]`. */
export function skipReason(fullName: string, note?: string): string {
  return note ?? /\[skipped: (.*?)\]/.exec(fullName)?.[1] ?? 'no reason given'
}

/** Writes the totals of the whole run to the file that OUTRIGGER_TOTALS_FILE names. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const skipped: SkippedTest[] = []
    let passed = 0
    // An error outside of any test (a module that does not load, a hook, a rejection nobody awaited) counts too.
    let failed = unhandled.length
    for (const module of modules) {
      failed += outsideOfTests(module)
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') passed++
        else if (result.state === 'failed') failed++
        else skipped.push({ name: nameOf(test, module), reason: skipReason(test.fullName, noteOf(result)) })
      }
    }
    const file = process.env['OUTRIGGER_TOTALS_FILE']
    if (file) writeFileSync(file, JSON.stringify({ passed, failed, skipped } satisfies Totals))
  }
}

function outsideOfTests(module: TestModule): number {
  const own = (part: TestModule | TestSuite) => part.errors().length
  return [...module.children.allSuites()].reduce((sum, suite) => sum + own(suite), own(module))
}

function nameOf(test: TestCase, module: TestModule): string {
  return `${module.relativeModuleId} > ${test.fullName.replace(/ ?\[skipped: .*?\]/, '')}`
}

function noteOf(result: object): string | undefined {
  return 'note' in result && typeof result.note === 'string' ? result.note : undefined
}
