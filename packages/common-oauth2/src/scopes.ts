/** Scopes as they are sent: written with commas, as Dapr's components want them, or with blanks, as in OAuth 2. */
export function clientScopes(text: string | undefined): string | undefined {
  const scopes = (text ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
  return scopes.length === 0 ? undefined : scopes.join(' ')
}
