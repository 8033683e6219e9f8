import { readItem, readSource } from './component.ts'
import type { HttpEndpointResource, MetadataItem } from './model.ts'
import type { Section } from './section.ts'

/** `HTTPEndpoint`, `dapr.io/v1alpha1`. */
export function readHttpEndpoint(
  root: Section,
  common: Pick<HttpEndpointResource, 'name' | 'namespace' | 'scopes' | 'source'>,
): HttpEndpointResource {
  root.known(['apiVersion', 'kind', 'metadata', 'spec', 'auth', 'scopes'], ['status'])
  const spec = root.section('spec')?.known(['baseUrl', 'headers', 'clientTLS'])
  if (spec === undefined) return root.unusable('spec', 'is missing: an HTTPEndpoint needs spec.baseUrl')
  const baseUrl = spec.required('baseUrl', 'where requests go, such as https://api.example.com').trim()
  if (!/^https?:\/\//i.test(baseUrl) || !URL.canParse(baseUrl))
    return spec.unusable('baseUrl', 'must be a URL that begins with http:// or https://')
  const headers = spec.sections('headers').map((item) => {
    const header = readItem(item)
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header.name)) return header
    return item.unusable('name', 'must be the name of a header field')
  })
  return { kind: 'HTTPEndpoint', ...common, baseUrl, headers, tls: readTls(spec), secretStore: storeOf(root) }
}

function storeOf(root: Section): string | undefined {
  return root.section('auth')?.known(['secretStore']).text('secretStore') || undefined
}

function readTls(spec: Section): HttpEndpointResource['tls'] {
  const tls = spec.section('clientTLS')?.known(['rootCA', 'certificate', 'privateKey', 'renegotiation'])
  const item = (name: string): MetadataItem | undefined => {
    const section = tls?.section(name)?.known(['value', 'secretKeyRef', 'envRef'])
    return section === undefined ? undefined : readSource(section, `clientTLS.${name}`)
  }
  if (tls?.has('renegotiation') === true && !/never/i.test(tls.text('renegotiation') ?? '')) {
    const text = 'has no effect: TLS 1.3 knows no renegotiation, and it is off for what is older'
    tls.report.add('warn', tls.lineOf('renegotiation'), `${tls.path}.renegotiation`, text)
  }
  const [certificate, privateKey] = [item('certificate'), item('privateKey')]
  if ((certificate === undefined) !== (privateKey === undefined))
    tls?.unusable(
      certificate === undefined ? 'certificate' : 'privateKey',
      'is missing: both belong together',
    )
  return { rootCa: item('rootCA'), certificate, privateKey }
}
