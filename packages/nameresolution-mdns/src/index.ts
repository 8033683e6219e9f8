import { fields, list } from '@outrigger/kit'
import { defineNameResolver } from '@outrigger/spec'
import { capabilities, MdnsResolver } from './resolver.ts'

const metadata = fields({
  interfaces: list({
    description:
      'Network interfaces to use, by name or address; without it all of them, those that come up later as well.',
    example: 'eth0, lo',
  }),
})

export default defineNameResolver({
  type: 'nameresolution.mdns',
  title: 'mDNS',
  description:
    'Instances on the local network, found by multicast DNS as Dapr does it. Needs no configuration.',
  versions: {
    v1: {
      metadata,
      capabilities,
      async create(context) {
        const resolver = new MdnsResolver(context)
        await resolver.open()
        return resolver
      },
    },
  },
})
