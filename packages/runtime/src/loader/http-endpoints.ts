import type { Random, SecretStore } from '@outrigger/spec'
import type { LoadedComponent } from '../components/live.ts'
import { StartupError } from '../config/startup-error.ts'
import type { EndpointSettings } from '../invoke/endpoints.ts'
import { defaultInitTimeoutMs } from '../resources/component.ts'
import type { ComponentResource, HttpEndpointResource, MetadataItem } from '../resources/model.ts'
import { resolveProperties } from './properties.ts'
import type { LoadContext } from './types.ts'

export interface EndpointTools {
  readonly context: LoadContext
  readonly random: Random
  readonly signal: AbortSignal
  /** Among them are the secret stores. */
  readonly components: readonly LoadedComponent[]
}

/**
 * Fills the secrets into HTTPEndpoint resources.
 * @throws StartupError with everything that is wrong
 */
export async function loadEndpoints(
  resources: readonly HttpEndpointResource[],
  tools: EndpointTools,
): Promise<readonly EndpointSettings[]> {
  const lines: string[] = []
  const settings: EndpointSettings[] = []
  for (const resource of resources) settings.push(await load(resource, tools, lines))
  if (lines.length > 0) throw new StartupError(lines)
  return settings
}

async function load(
  resource: HttpEndpointResource,
  { context, random, signal, components }: EndpointTools,
  lines: string[],
): Promise<EndpointSettings> {
  const { name, baseUrl, headers, tls, source } = resource
  const items = [tls.rootCa, tls.certificate, tls.privateKey].filter((item) => item !== undefined)
  const named = headers.map((item) => ({ ...item, name: `headers.${item.name}` }))
  const store = (wanted: string): SecretStore | string => {
    const found = components.find(({ kind, resource: { name: other } }) => {
      return kind === 'secretstores' && other === wanted
    })
    return (
      (found?.instance as SecretStore | undefined) ??
      'is not among the resources: add it, or correct auth.secretStore'
    )
  }
  const asComponent = componentOf(resource, [...named, ...items])
  const { values, problems } = await resolveProperties(asComponent, { context, random, signal, store })
  for (const { line, text } of problems) {
    const field = text.replace(/^spec\.metadata "([^"]+)"/, 'spec.$1')
    lines.push(`${source.file}:${line}: HTTPEndpoint "${name}": ${field}`)
  }
  const of = (item: MetadataItem | undefined): string | undefined =>
    item === undefined ? undefined : values[item.name] || undefined
  const [ca, cert, key] = [of(tls.rootCa), of(tls.certificate), of(tls.privateKey)]
  return {
    name,
    baseUrl,
    headers: named.flatMap((item) => [
      item.name.slice('headers.'.length).toLowerCase(),
      values[item.name] ?? '',
    ]),
    tls:
      items.length === 0
        ? undefined
        : {
            ...(ca !== undefined && { ca }),
            ...(cert !== undefined && { cert }),
            ...(key !== undefined && { key }),
          },
  }
}

/** What is read of the metadata of components is read of it. */
function componentOf(
  { name, namespace, secretStore, scopes, source }: HttpEndpointResource,
  metadata: readonly MetadataItem[],
): ComponentResource {
  return {
    kind: 'Component',
    name,
    namespace,
    type: 'httpendpoint',
    version: undefined,
    ignoreErrors: false,
    initTimeoutMs: defaultInitTimeoutMs,
    metadata,
    secretStore,
    scopes,
    source,
  }
}
