import { ApiError } from '../api/api-error.ts'

/** What a caller names: an application, or the base of a URL. */
export type Target =
  | { readonly kind: 'app'; readonly appId: string; readonly namespace: string }
  | { readonly kind: 'url'; readonly url: string }

const longest = 500

/**
 * Reads the name of a target: `orders`, `orders.production`, `https://api.example.com/v1`.
 * @throws ApiError DIRECT_INVOKE for what is none
 */
export function parseTarget(text: string, namespace: string): Target {
  if (/^https?:\/\//.test(text)) return { kind: 'url', url: text }
  const [appId = '', other, ...rest] = text.split('.')
  if (appId === '' || other === '' || rest.length > 0 || text.length > longest) {
    throw new ApiError(
      'DIRECT_INVOKE',
      `failed to invoke, id: ${text.slice(0, longest)}, err: invalid app id ${text.slice(0, longest)}: write the id of an application, ID.NAMESPACE, the name of an HTTPEndpoint or a URL with http:// or https://`,
    )
  }
  return { kind: 'app', appId, namespace: other ?? namespace }
}
