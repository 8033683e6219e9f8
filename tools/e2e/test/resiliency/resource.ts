/** The YAML of a Resiliency resource with this text below `spec:`, indented by two spaces or more. */
export function resiliency(name: string, spec: string, scopes: readonly string[] = []): string {
  const scoped = scopes.length === 0 ? '' : `scopes: [${scopes.join(', ')}]\n`
  return `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: ${name}\n${scoped}spec:\n${spec}\n`
}
