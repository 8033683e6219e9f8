import { fields, list, openDns, string } from '@outrigger/kit'
import { defineNameResolver } from '@outrigger/spec'
import { NameFormatResolver } from './resolver.ts'

const metadata = fields({
  format: string({
    required: true,
    description:
      'The address of every application, with `{appid}` for its id: a name or IP address, and a port. Without a port, that of the own internal API is meant.',
    example: '{appid}.apps.internal:50002',
  }),
  nameservers: list({
    description: 'DNS servers to ask, each `ip` or `ip:port`; without them those of the machine.',
    example: '127.0.0.1:8600',
  }),
})

export default defineNameResolver({
  type: 'nameresolution.nameformat',
  title: 'Name format',
  description: 'Every application has an address that is made of its id by a pattern.',
  versions: {
    v1: {
      metadata,
      capabilities: [],
      async create({ metadata: { format, nameservers } }) {
        return new NameFormatResolver(format, await openDns({ nameservers }))
      },
    },
  },
})
