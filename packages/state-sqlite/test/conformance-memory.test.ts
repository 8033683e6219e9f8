import { stateStoreConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

stateStoreConformance(definition, { properties: () => ({ connectionString: ':memory:' }) })
