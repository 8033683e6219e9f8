import type { ApiRule, Configuration } from '../config/configuration.ts'

type Protocol = 'http' | 'grpc'

/**
 * Whether an operation may be offered; its path begins with version and building block (`v1.0/state`). What is denied is
 * not; where any is allowed, only those are.
 */
export function allows(
  access: Configuration['apiAccess'],
  path: string,
  protocol: Protocol = 'http',
): boolean {
  if (access.denied.some((rule) => matches(rule, path, protocol))) return false
  const relevant = access.allowed.filter((rule) => concerns(rule, protocol))
  return relevant.length === 0 || relevant.some((rule) => matches(rule, path, protocol))
}

/** Rules for HTTP that no route has anything to do with: misspelled, they keep a door open, or all doors closed. */
export function idleRules(access: Configuration['apiAccess'], paths: readonly string[]): readonly ApiRule[] {
  const rules = [...access.denied, ...access.allowed].filter((rule) => concerns(rule, 'http'))
  return rules.filter((rule) => !paths.some((path) => matches(rule, path, 'http')))
}

function matches(rule: ApiRule, path: string, protocol: Protocol): boolean {
  const [version, name] = path.split('/')
  const same = rule.version === undefined || plain(rule.version) === plain(version!)
  return same && concerns(rule, protocol) && rule.name.toLowerCase() === name
}

/** HTTP says `v1.0-alpha1` where gRPC says `v1alpha1`; people write either. */
function plain(version: string): string {
  return version.toLowerCase().replace('v1.0', 'v1').replace('-', '')
}

function concerns(rule: ApiRule, protocol: Protocol): boolean {
  return (rule.protocol ?? protocol) === protocol
}
