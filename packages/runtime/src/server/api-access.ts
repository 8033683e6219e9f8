import type { ApiRule, Configuration } from '../config/configuration.ts'

type Protocol = 'http' | 'grpc'

/** The methods of the gRPC API by version and name, as access lists know them; those that are not built yet too. */
export const grpcGroups = [
  'v1/invoke',
  'v1/state',
  'v1alpha1/state',
  'v1/publish',
  'v1alpha1/publish',
  'v1alpha1/subscribe',
  'v1/bindings',
  'v1/secrets',
  'v1/actors',
  'v1alpha1/actors',
  'v1/metadata',
  'v1/configuration',
  'v1alpha1/configuration',
  'v1alpha1/lock',
  'v1alpha1/unlock',
  'v1alpha1/crypto',
  'v1alpha1/subtlecrypto',
  'v1alpha1/workflows',
  'v1beta1/workflows',
  'v1/jobs',
  'v1alpha1/jobs',
  'v1alpha1/conversation',
  'v1alpha2/conversation',
  'v1/shutdown',
] as const

export type GrpcGroup = (typeof grpcGroups)[number]

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

/**
 * Rules that no route and no method has anything to do with: misspelled, they keep a door open, or all doors closed.
 * @param paths of the HTTP API
 */
export function idleRules(access: Configuration['apiAccess'], paths: readonly string[]): readonly ApiRule[] {
  return [...access.denied, ...access.allowed].filter(
    (rule) =>
      !paths.some((path) => matches(rule, path, 'http')) &&
      !grpcGroups.some((group) => matches(rule, group, 'grpc')),
  )
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
