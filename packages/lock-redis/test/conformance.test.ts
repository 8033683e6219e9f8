import { lockConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService('redis', 'lock.redis', (get) => {
  lockConformance(definition, { properties: () => ({ redisHost: `${get().host}:${get().port}` }) })
})
