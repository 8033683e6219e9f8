import { middlewareConformance } from '@outrigger/conformance'
import { upper } from '../src/text.ts'
import definition from '../src/index.ts'

middlewareConformance(definition, { properties: () => ({}), requestBody: upper })
middlewareConformance(definition, { properties: () => ({ direction: 'response' }), responseBody: upper })
middlewareConformance(definition, {
  properties: () => ({ direction: 'BOTH' }),
  requestBody: upper,
  responseBody: upper,
})
