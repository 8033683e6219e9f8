import { pubsubConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService('redis', 'pubsub.redis', (get) => {
  pubsubConformance(definition, {
    properties: () => ({
      redisHost: `${get().host}:${get().port}`,
      processingTimeout: '300ms',
      redeliverInterval: '100ms',
    }),
    durable: true,
    leaseMs: 300,
  })
})
