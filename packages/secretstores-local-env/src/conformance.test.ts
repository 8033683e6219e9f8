import { secretStoreConformance } from '@outrigger/conformance'
import definition from './index.ts'

const variables = { OUTRIGGER_CONFORMANCE_A: 'a1', OUTRIGGER_CONFORMANCE_B: 'b=2' }

for (const prefix of ['', 'OUTRIGGER_CONFORMANCE_']) {
  secretStoreConformance(definition, {
    properties: () => {
      Object.assign(process.env, variables)
      return { prefix }
    },
    secrets: Object.fromEntries(
      Object.entries(variables).map(([variable, value]) => {
        const name = variable.slice(prefix.length)
        return [name, { [name]: value }]
      }),
    ),
    teardown: () => {
      for (const variable of Object.keys(variables)) delete process.env[variable]
    },
  })
}
