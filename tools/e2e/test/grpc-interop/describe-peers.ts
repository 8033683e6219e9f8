import { describe, it } from 'vitest'

/** Like `describe`; where a peer is missing its tests are skipped, or fail where everything must be tested. */
export function describePeers(name: string, missing: string | undefined, tests: () => void): void {
  if (missing === undefined) describe(name, tests)
  else if (process.env['OUTRIGGER_REQUIRE_SERVICES'] !== '1')
    describe.skip(`${name} [skipped: ${missing}]`, tests)
  else {
    it(name, () => {
      throw new Error(`${missing}; OUTRIGGER_REQUIRE_SERVICES=1 forbids to skip`)
    })
  }
}
