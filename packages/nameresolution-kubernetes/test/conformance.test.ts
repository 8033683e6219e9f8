import { nameResolutionConformance } from '@outrigger/conformance'
import { describeWithService } from '@outrigger/services'
import definition from '../src/index.ts'

const name = (appId: string, addresses: string): string =>
  `--host-record=${appId}-dapr.shop.svc.cluster.test,${addresses}`

describeWithService(
  'dnsmasq',
  'with a DNS server',
  (server) => {
    nameResolutionConformance(definition, {
      namespace: 'shop',
      properties: () => ({ clusterDomain: 'cluster.test', nameservers: `127.0.0.1:${server().port}` }),
      known: {
        orders: [
          { host: '10.0.0.1', port: 50_002 },
          { host: '10.0.0.2', port: 50_002 },
        ],
        six: [{ host: '2001:db8::6', port: 50_002 }],
        // IPv6 addresses of instances that have an IPv4 address as well are not another instance.
        both: [{ host: '10.0.0.7', port: 50_002 }],
      },
    })
  },
  {
    args: [
      name('orders', '10.0.0.1'),
      name('orders', '10.0.0.2'),
      name('six', '2001:db8::6'),
      name('both', '10.0.0.7,2001:db8::7'),
    ],
  },
)
