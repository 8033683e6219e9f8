import { fields, list, metadataValue, openDns, string } from '@outrigger/kit'
import { defineNameResolver } from '@outrigger/spec'
import { KubernetesResolver } from './resolver.ts'
import { parseTemplate } from './template.ts'

const metadata = fields({
  clusterDomain: string({
    default: 'cluster.local',
    description: 'The domain of the cluster. Not used with `template`.',
  }),
  template: string({
    description:
      'The address of an application, in place of the usual one. Knows `{{.ID}}`, `{{.Namespace}}`, `{{.Port}}` and `{{.Data.name}}`.',
    example: '{{.ID}}-{{.Data.region}}.internal:{{.Port}}',
  }),
  nameservers: list({
    description: 'DNS servers to ask, each `ip` or `ip:port`; without them those of the pod.',
    example: '10.96.0.10',
  }),
})

export default defineNameResolver({
  type: 'nameresolution.kubernetes',
  title: 'Kubernetes',
  description: 'Instances behind the service that each application has in a cluster, found by DNS.',
  versions: {
    v1: {
      metadata,
      capabilities: [],
      async create({ metadata: { clusterDomain, template, nameservers }, properties, logger }) {
        if (template !== undefined && metadataValue(properties, 'clusterDomain') !== undefined) {
          logger.warn('clusterDomain is not used, because there is a template')
        }
        const text = template ?? `{{.ID}}-dapr.{{.Namespace}}.svc.${clusterDomain}:{{.Port}}`
        return new KubernetesResolver(parseTemplate(text), await openDns({ nameservers }))
      },
    },
  },
})
