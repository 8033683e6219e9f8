import { nameResolutionConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

// On the loopback only: what is tested here is nothing for the network.
nameResolutionConformance(definition, { properties: () => ({ interfaces: 'lo' }) })
