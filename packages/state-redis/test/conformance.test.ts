import { stateStoreConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService('redis', 'state.redis', (get) => {
  stateStoreConformance(definition, {
    properties: () => ({ redisHost: `${get().host}:${get().port}` }),
    invalidEtag: 'one',
  })
})
