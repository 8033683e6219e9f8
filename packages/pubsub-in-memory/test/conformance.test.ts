import { pubsubConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

pubsubConformance(definition, { properties: () => ({}), withinInstance: true, durable: true })
