import { lockConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

lockConformance(definition, { properties: () => ({}), withinInstance: true })
