import { bindingConformance } from '@outrigger/conformance'
import { virtualClock } from '@outrigger/testkit'
import { expect } from 'vitest'
import definition from './index.ts'

for (const schedule of ['@every 15s', '0/15 * * * * *']) {
  const clock = virtualClock()
  bindingConformance(definition, {
    clock,
    properties: () => ({ schedule }),
    input: {
      trigger: () => clock.advance(15_000),
      check: ({ data, metadata }) => {
        expect(data).toHaveLength(0)
        expect(metadata['readTimeUTC']).toMatch(/^2026-01-01 00:\d\d:\d\d \+0000 UTC$/)
      },
    },
  })
}
