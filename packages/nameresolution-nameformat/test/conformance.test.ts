import { nameResolutionConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService(
  'dnsmasq',
  'with a DNS server',
  (server) => {
    nameResolutionConformance(definition, {
      properties: () => ({
        format: '{appid}.apps.internal:4000',
        nameservers: `127.0.0.1:${server().port}`,
      }),
      known: {
        orders: [{ host: '10.0.0.1', port: 4000 }],
        six: [{ host: '2001:db8::6', port: 4000 }],
      },
    })
  },
  { args: ['--host-record=orders.apps.internal,10.0.0.1', '--host-record=six.apps.internal,2001:db8::6'] },
)
