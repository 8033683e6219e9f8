import type { Logger, Random, SecretStore } from '@outrigger/spec'
import { asField, isFieldValue } from '../app/fields.ts'
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
  readonly logger: Logger
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
  { context, random, signal, logger, components }: EndpointTools,
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
  const properties = await resolveProperties(asComponent, { context, random, signal, store })
  const say = (line: number, text: string): string => {
    const field = text.replace(/^spec\.metadata "([^"]+)"/, 'spec.$1')
    return `${source.file}:${line}: HTTPEndpoint "${name}": ${field}`
  }
  for (const { line, text } of properties.warnings) logger.warn(say(line, text))
  const before = lines.length
  for (const { line, text } of properties.problems) lines.push(say(line, text))
  const { values } = properties
  for (const item of named) {
    if (!isFieldValue(values[item.name] ?? ''))
      lines.push(
        say(
          item.line,
          `spec.${item.name} has a character that no header field can hold, such as a line break`,
        ),
      )
  }
  // What is missing has been said.
  if (items.length > 0 && lines.length === before)
    for (const [item, text] of await tlsProblems(tls, values))
      lines.push(say(item.line, `spec.${item.name} ${text}`))
  return {
    name,
    baseUrl,
    headers: named.flatMap((item) => [
      item.name.slice('headers.'.length).toLowerCase(),
      asField(values[item.name] ?? ''),
    ]),
    tls: items.length === 0 ? undefined : tlsOf(tls, values),
  }
}

type Tls = HttpEndpointResource['tls']
type Values = Readonly<Record<string, string>>

function tlsOf({ rootCa, certificate, privateKey }: Tls, values: Values): EndpointSettings['tls'] {
  return {
    ...(rootCa !== undefined && { ca: values[rootCa.name]! }),
    ...(certificate !== undefined && { cert: values[certificate.name]! }),
    ...(privateKey !== undefined && { key: values[privateKey.name]! }),
  }
}

/** What is wrong with certificates and key, said here and not to whoever makes a call. */
async function tlsProblems(
  { rootCa, certificate, privateKey }: Tls,
  values: Values,
): Promise<readonly (readonly [MetadataItem, string])[]> {
  const { createPrivateKey, X509Certificate } = await import('node:crypto')
  const problems: [MetadataItem, string][] = []
  const read = <T>(
    item: MetadataItem | undefined,
    make: (pem: string) => T,
    wanted: string,
  ): T | undefined => {
    if (item === undefined) return undefined
    try {
      return make(values[item.name]!)
    } catch {
      problems.push([item, `is no ${wanted} in PEM`])
      return undefined
    }
  }
  read(rootCa, (pem) => new X509Certificate(pem), 'certificate')
  const own = read(certificate, (pem) => new X509Certificate(pem), 'certificate')
  const key = read(privateKey, createPrivateKey, 'private key')
  if (own !== undefined && key !== undefined && !own.checkPrivateKey(key))
    problems.push([privateKey!, 'does not belong to the first certificate of spec.clientTLS.certificate'])
  return problems
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
