import { stateStoreConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService('redis', 'state.redis', (get) => {
  stateStoreConformance(definition, {
    properties: () => ({ redisHost: `${get().host}:${get().port}` }),
    invalidEtag: 'one',
    // Queries need modules that this server does not have.
    capabilities: ['etag', 'transactional', 'ttl', 'keysLike', 'deleteWithPrefix', 'actor'],
  })
})
