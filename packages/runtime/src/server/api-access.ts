import type { ApiRule, Configuration } from '../config/configuration.ts'

/** Whether a route of the HTTP API may be offered. A denied one is not; where any is allowed, only those are. */
export function allows(access: Configuration['apiAccess'], path: string): boolean {
  if (access.denied.some((rule) => matches(rule, path))) return false
  const relevant = access.allowed.filter(isOfHttp)
  return relevant.length === 0 || relevant.some((rule) => matches(rule, path))
}

/** Rules for HTTP that no route has anything to do with: misspelled, they keep a door open, or all doors closed. */
export function idleRules(access: Configuration['apiAccess'], paths: readonly string[]): readonly ApiRule[] {
  const rules = [...access.denied, ...access.allowed].filter(isOfHttp)
  return rules.filter((rule) => !paths.some((path) => matches(rule, path)))
}

function matches(rule: ApiRule, path: string): boolean {
  const [version, name] = path.split('/')
  return isOfHttp(rule) && rule.name.toLowerCase() === name && (rule.version ?? version) === version
}

function isOfHttp(rule: ApiRule): boolean {
  return (rule.protocol ?? 'http') === 'http'
}
