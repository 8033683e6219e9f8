import { bool, fields, json, string } from '@outrigger/kit'
import { defineNameResolver } from '@outrigger/spec'
import { Agent } from './agent.ts'
import { readClient, readEnvironment } from './client.ts'
import { ConsulResolver } from './resolver.ts'
import { readSettings } from './settings.ts'

const metadata = fields({
  client: json({
    description:
      'The agent: `address`, `scheme`, `datacenter`, `httpAuth` (`username`, `password`), `waitTime`, `token`, `tokenFile`, `tlsConfig` (`address`, `caFile`, `caPath`, `certFile`, `keyFile`, `insecureSkipVerify`). What is left out comes from the variables of Consul (`CONSUL_HTTP_ADDR` ...), or is `127.0.0.1:8500`.',
    example: '{"address": "127.0.0.1:8500"}',
    sensitive: true,
  }),
  queryOptions: json({
    description:
      'How instances are asked for: `datacenter`, `allowStale`, `requireConsistent`, `useCache`, `maxAge`, `staleIfError`, `waitTime`, `token`, `near`, `nodeMeta`, `filter`, `namespace`, `partition`.',
    example: '{"filter": "\\"v1\\" in Service.Tags"}',
    sensitive: true,
  }),
  selfRegister: bool({ default: 'false', description: 'Registers this instance with the agent.' }),
  selfDeregister: bool({
    default: 'true',
    description: 'Takes the registration back when the sidecar stops; `false` leaves it to its checks.',
  }),
  checks: json({
    description:
      'A list of checks of the registration, each as the agent knows it. Without it, one asks for the health of the sidecar.',
    example: '[{"name": "alive", "http": "http://127.0.0.1:8080/health", "interval": "15s"}]',
  }),
  tags: json({ description: 'A list of tags of the registration.', example: '["v1"]' }),
  meta: json({ description: 'More texts of the registration, by name.', example: '{"team": "shop"}' }),
  daprPortMetaKey: string({
    default: 'DAPR_PORT',
    description: 'The name among the texts of a registration that has the port of the internal API.',
  }),
  advancedRegistration: json({
    description:
      'The whole registration as the agent knows it, in place of `checks`, `tags`, `meta` and `selfRegister`.',
    example: '{"name": "orders", "address": "10.0.0.1"}',
  }),
  useCache: bool({
    default: 'false',
    description: 'Accepted and not needed: those who look for an application are told when it changes.',
  }),
})

export default defineNameResolver({
  type: 'nameresolution.hashicorp.consul',
  title: 'HashiCorp Consul',
  description: 'Instances in the catalogue of Consul, with the port of the sidecar among their texts.',
  aliases: ['nameresolution.consul'],
  versions: {
    v1: {
      metadata,
      capabilities: ['register', 'watch'],
      async create(context) {
        const settings = readSettings(context.metadata)
        const client = await readClient(context.metadata.client, readEnvironment(), context.baseDirectory)
        const agent = new Agent(client, context.clock)
        try {
          await agent.request('GET', '/v1/status/leader', {}, { signal: context.initSignal })
          if (client.tls?.rejectUnauthorized === false) {
            context.logger.warn('the certificate of the Consul agent is not checked (insecureSkipVerify)')
          }
          return new ConsulResolver(agent, settings, context)
        } catch (error) {
          agent.close()
          throw error
        }
      },
    },
  },
})
