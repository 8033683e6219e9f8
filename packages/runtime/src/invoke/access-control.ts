import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import type { AccessControl, Action, AppPolicy, OperationPolicy } from '../config/access-control.ts'
import { methodName } from '../api/invoke/method-name.ts'
import type { Caller } from '../api/invoke/serve-peer.ts'

/** What may be asked: `undefined` for who has not proved who it is, an empty verb where there is none. */
export type Authorize = (caller: Caller | undefined, method: string, verb: string) => void

interface Compiled {
  readonly policy: AppPolicy
  readonly operations: Node
}

/**
 * Compiles the access control of a Configuration. Operations of applications that speak HTTP are compared without
 * regard to case, and by their verb.
 * @returns what throws a GrpcError PERMISSION_DENIED
 */
export function accessControl(access: AccessControl, appId: string, overHttp: boolean): Authorize {
  const apps = new Map<string, Compiled>()
  for (const policy of access.policies)
    apps.set(keyOf(policy), { policy, operations: compile(policy.operations, overHttp) })
  return (caller, method, verb) => {
    const readings = readingsOf(appId, method, overHttp)
    const isAllowed = (segments: readonly string[]): boolean =>
      (overHttp || !segments[0]!.startsWith(callbacks)) &&
      decide(access.defaultAction, apps, caller, segments, { overHttp, verb }) === 'allow'
    if (readings.every(isAllowed)) return
    const id =
      caller === undefined
        ? 'unknown'
        : `spiffe://${caller.trustDomain}/ns/${caller.namespace}/${caller.appId}`
    const operation = readings[0]!.join('/').slice(0, longestShown)
    const text = `access control policy has denied access to id: ${id} operation: ${operation} verb: ${verb || 'NONE'}`
    throw new GrpcError(grpcStatus.PERMISSION_DENIED, text)
  }
}

const longestShown = 500
/** Services that only the own sidecar calls: by `OnInvoke` any method could be reached under this name. */
const callbacks = 'dapr.proto.runtime.v1.AppCallback'

/**
 * What a method may mean to the application. All of it must be allowed: some servers take the parameters of a path off
 * (`;a=b`, RFC 3986, section 3.3), before they unescape it or after.
 */
function readingsOf(appId: string, method: string, overHttp: boolean): readonly (readonly string[])[] {
  const segments = methodName(appId, method.replace(/^\/+/, '')).split('/')
  const parts = segments.map(unescaped)
  const readings = unescapedReadings(appId, parts)
  if (!overHttp || !parts.some((part) => part.includes(';'))) return readings
  const before = segments.map(withoutParameters).map(unescaped)
  const after = slashed(parts).split('/').map(withoutParameters)
  return [...readings, ...unescapedReadings(appId, before), ...unescapedReadings(appId, after)]
}

/**
 * A path with escaped slashes and dots taken for what they stand for, and where that is another path also with them
 * as parts of a name.
 */
function unescapedReadings(appId: string, parts: readonly string[]): readonly (readonly string[])[] {
  const whole = methodName(appId, slashed(parts)).split('/')
  const same = whole.length === parts.length && whole.every((segment, index) => segment === parts[index])
  return same ? [whole] : [whole, parts]
}

/** To some servers a backslash is a slash. */
function slashed(parts: readonly string[]): string {
  return parts.join('/').replaceAll('\\', '/')
}

function withoutParameters(segment: string): string {
  return segment.split(';', 1)[0]!
}

/** Bytes that are no UTF-8 become replacement characters: one of them must not leave the rest escaped. */
function unescaped(segment: string): string {
  if (!segment.includes('%')) return segment
  return segment.replace(/(?:%[\da-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}

function decide(
  defaultAction: Action,
  apps: ReadonlyMap<string, Compiled>,
  caller: Caller | undefined,
  segments: readonly string[],
  { overHttp, verb }: { readonly overHttp: boolean; readonly verb: string },
): Action {
  const app = caller === undefined ? undefined : apps.get(keyOf(caller))
  if (app === undefined || app.policy.trustDomain !== caller?.trustDomain) return defaultAction
  const otherwise = app.policy.defaultAction ?? defaultAction
  const rule = find(app.operations, overHttp ? segments.map((one) => one.toLowerCase()) : segments)
  if (rule === undefined) return otherwise
  if (!overHttp) return rule.action
  // Without a verb only what the policy says of the application counts, and it may say nothing.
  if (verb === '') return app.policy.defaultAction ?? 'deny'
  return rule.verbs.includes(verb) || rule.verbs.includes('*') ? rule.action : otherwise
}

function keyOf({ appId, namespace }: { readonly appId: string; readonly namespace: string }): string {
  return `${appId}||${namespace}`
}

/** Rules by the segments of their paths, in the order in which they were written. */
interface Node {
  readonly segment: string
  readonly matches: (segment: string) => boolean
  readonly next: Node[]
  rule: OperationPolicy | undefined
}

function compile(operations: readonly OperationPolicy[], overHttp: boolean): Node {
  const root = node('')
  for (const rule of operations) {
    let at = root
    for (const written of segmentsOf(rule.name)) {
      // An escaped star is no wildcard.
      const name = /%2a/i.test(written) ? written : unescaped(written)
      const segment = overHttp ? name.toLowerCase() : name
      let next = at.next.find((other) => other.segment === segment)
      if (next === undefined) {
        next = node(segment)
        at.next.push(next)
      }
      at = next
    }
    at.rule ??= rule
  }
  return root
}

function node(segment: string): Node {
  const parts = segment.split('*')
  return { segment, matches: (text) => matches(parts, text), next: [], rule: undefined }
}

/** Whether a text is made of these parts with anything between them. Not by a RegExp, which callers could keep busy. */
function matches(parts: readonly string[], text: string): boolean {
  const first = parts[0]!
  const last = parts.at(-1)!
  if (parts.length === 1) return text === first
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

function segmentsOf(path: string): readonly string[] {
  return path.replace(/^\//, '').split('/')
}

/**
 * The rule of an operation: the first along its path, so that a rule for `/a` is one for `/a/b` as well, as in Dapr.
 * `*` is one last segment, `**` any rest, and a star within a segment any part of it. What fits a segment and leads
 * to no rule hides none that comes behind it.
 */
function find(at: Node, segments: readonly string[], index = 0): OperationPolicy | undefined {
  const isLast = index === segments.length - 1
  for (const next of at.next) {
    if (!fits(next, segments[index]!, isLast)) continue
    const rule = next.rule ?? (isLast ? next.next.find(isAnything)?.rule : find(next, segments, index + 1))
    if (rule !== undefined) return rule
  }
  return undefined
}

function fits({ segment, matches }: Node, text: string, isLast: boolean): boolean {
  if (segment === '*') return isLast
  return segment === text || segment === '**' || matches(text)
}

function isAnything({ segment }: Node): boolean {
  return segment === '*' || segment === '**'
}
