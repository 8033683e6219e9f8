import { fetchJson, httpUrl, type FetchOptions } from '@outrigger/common-oauth2'
import { ComponentError } from '@outrigger/spec'

/** Where an issuer has its keys (OpenID Connect Discovery 1.0, section 4). @throws ComponentError */
export async function findKeysUrl(issuer: string, options: FetchOptions): Promise<string> {
  httpUrl('issuer', issuer)
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { status, value } = await fetchJson(url, options)
  if (status !== 200) throw unusable(url, `answers with status ${status}`)
  if (typeof value !== 'object' || value === null) throw unusable(url, 'is no JSON object')
  const { issuer: named, jwks_uri: keys } = value as Record<string, unknown>
  if (named !== issuer) {
    const shown = typeof named === 'string' ? `"${named.slice(0, 200)}"` : 'nobody'
    throw unusable(url, `names ${shown} as the issuer, and the metadata "${issuer}": both must be the same`)
  }
  if (typeof keys !== 'string') throw unusable(url, 'has no jwks_uri')
  return httpUrl('jwks_uri', keys).href
}

function unusable(url: string, problem: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `${url} ${problem}; correct issuer, or set jwksURL`)
}
