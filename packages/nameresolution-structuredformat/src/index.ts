import { fields, oneOf, openDns, string } from '@outrigger/kit'
import { defineNameResolver } from '@outrigger/spec'
import { StructuredFormatResolver } from './resolver.ts'
import { readInstances } from './read.ts'

const metadata = fields({
  structuredType: oneOf(['json', 'yaml', 'jsonFile', 'yamlFile'], {
    required: true,
    description: 'How the instances are written, and whether in `stringValue` or in a file.',
    example: 'yamlFile',
  }),
  stringValue: string({
    description: 'The instances, with `json` and `yaml`.',
    example: '{"appInstances":{"orders":[{"ipv4":"127.0.0.1","port":50002}]}}',
  }),
  filePath: string({
    description:
      'The file with the instances, with `jsonFile` and `yamlFile`. Relative paths start at the working folder. It is read once, at the start.',
    example: '/etc/outrigger/instances.yaml',
  }),
})

export default defineNameResolver({
  type: 'nameresolution.structuredformat',
  title: 'Structured format',
  description: 'Instances that are listed in JSON or YAML.',
  versions: {
    v1: {
      metadata,
      capabilities: [],
      async create(context) {
        const instances = await readInstances(context.metadata, context.baseDirectory)
        return new StructuredFormatResolver(instances, await openDns())
      },
    },
  },
})
