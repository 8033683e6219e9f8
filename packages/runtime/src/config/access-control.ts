import type { Section } from '../resources/section.ts'

export type Action = 'allow' | 'deny'

/** What one application may call. */
export interface AppPolicy {
  readonly appId: string
  readonly namespace: string
  readonly trustDomain: string
  /** Absent: that of all applications. */
  readonly defaultAction: Action | undefined
  readonly operations: readonly OperationPolicy[]
}

export interface OperationPolicy {
  /** Path of a method, wildcards included: `/orders/*`. */
  readonly name: string
  /** `*` for all. Empty: only calls that have none. */
  readonly verbs: readonly string[]
  readonly action: Action
}

/** `spec.accessControl`: who may call the application. */
export interface AccessControl {
  readonly defaultAction: Action
  /** The trust domain of this sidecar. */
  readonly trustDomain: string
  readonly policies: readonly AppPolicy[]
}

/** The trust domain of sidecars that name none. */
export const defaultTrustDomain = 'public'

/** What one file says of it. */
export interface AccessControlPart {
  readonly defaultAction?: Action
  readonly trustDomain?: string
  readonly policies?: readonly AppPolicy[]
  /** Says that nothing decides about those that no policy names. */
  readonly warn?: () => void
}

/** What all files say together. */
export function completeAccessControl(part: AccessControlPart): AccessControl {
  const { defaultAction, trustDomain = defaultTrustDomain, policies = [] } = part
  if (defaultAction === undefined && policies.length > 0) part.warn?.()
  return { defaultAction: defaultAction ?? (policies.length > 0 ? 'deny' : 'allow'), trustDomain, policies }
}

/** Reads the section. Trust domains have no case (SPIFFE-ID, section 2.1): identities hold them in lower case. */
export function readAccessControl(spec: Section, part: { accessControl?: AccessControlPart }): void {
  const section = spec.section('accessControl')?.known(['defaultAction', 'trustDomain', 'policies'])
  if (section === undefined) return
  const defaultAction = action(section, 'defaultAction')
  const trustDomain = section.text('trustDomain')?.toLowerCase()
  const warn = (): void => {
    const text = 'is missing: what no policy decides is denied'
    section.report.add('warn', section.line, `${section.path}.defaultAction`, text)
  }
  part.accessControl = {
    ...(defaultAction !== undefined && { defaultAction }),
    ...(trustDomain && { trustDomain }),
    ...(section.has('policies') && { policies: section.sections('policies').map(readPolicy), warn }),
  }
}

function readPolicy(policy: Section): AppPolicy {
  policy.known(['appId', 'namespace', 'trustDomain', 'defaultAction', 'operations'])
  return {
    appId: policy.required('appId', 'name the application that calls'),
    namespace: policy.required('namespace', 'name the namespace of the application that calls'),
    trustDomain: policy
      .required('trustDomain', `name the trust domain of the application that calls (${defaultTrustDomain})`)
      .toLowerCase(),
    defaultAction: action(policy, 'defaultAction'),
    operations: policy.sections('operations').map((operation) => {
      operation.known(['name', 'httpVerb', 'action'])
      return {
        name: operation.required('name', 'name the method, such as /orders/*'),
        verbs: operation.texts('httpVerb').map((verb) => verb.toUpperCase()),
        action: action(operation, 'action') ?? operation.unusable('action', 'is missing: allow or deny'),
      }
    }),
  }
}

function action(section: Section, name: string): Action | undefined {
  const text = section.text(name)?.trim().toLowerCase() || undefined
  if (text !== undefined && text !== 'allow' && text !== 'deny')
    return section.unusable(name, 'must be allow or deny')
  return text
}
