/** By this the application knows its sidecar. */
export const tokenField = 'dapr-api-token'

const trusted: ReadonlySet<string> = new Set([
  tokenField,
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'dapr-callee-app-id',
])

/**
 * Whether applications trust a field, given in lower case, because nobody but a sidecar writes it. To some (CGI,
 * WSGI) an underscore in a name is a dash.
 */
export function isTrustedField(name: string): boolean {
  return name.startsWith('dapr') && trusted.has(name.replaceAll('_', '-'))
}
