import type { ApiRule, Configuration } from '../config/configuration.ts'

/** Whether a route of the HTTP API may be offered. A denied one is not; where any is allowed, only those are. */
export function allows(access: Configuration['apiAccess'], path: string): boolean {
  const [version, name] = path.split('/')
  const matches = (rule: ApiRule): boolean =>
    rule.name.toLowerCase() === name &&
    (rule.version ?? version) === version &&
    (rule.protocol ?? 'http') === 'http'
  if (access.denied.some(matches)) return false
  const relevant = access.allowed.filter((rule) => (rule.protocol ?? 'http') === 'http')
  return relevant.length === 0 || relevant.some(matches)
}
