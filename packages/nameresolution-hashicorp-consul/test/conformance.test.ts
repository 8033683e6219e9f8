import { nameResolutionConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService('consul', 'with a Consul agent', (server) => {
  nameResolutionConformance(definition, {
    properties: () => ({
      client: JSON.stringify({ address: `127.0.0.1:${server().port}` }),
      selfRegister: 'true',
      checks: JSON.stringify([{ name: 'said to be well', ttl: '1h', status: 'passing' }]),
      queryOptions: JSON.stringify({ useCache: false }),
    }),
  })
})
