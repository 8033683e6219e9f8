import type { Section } from '../resources/section.ts'

/** `spec.mtls`, as far as sidecars need it; flags and environment come first. */
export interface MtlsSettings {
  readonly enabled: boolean
  readonly sentryAddress: string | undefined
  readonly controlPlaneTrustDomain: string | undefined
}

/** What one file says of it. */
export type MtlsPart = { readonly [K in keyof MtlsSettings]?: NonNullable<MtlsSettings[K]> }

export function completeMtls(part: MtlsPart): MtlsSettings {
  return { enabled: false, sentryAddress: undefined, controlPlaneTrustDomain: undefined, ...part }
}

/** Reads the section. What only the control plane needs is left to it. */
export function readMtls(spec: Section, part: { mtls?: MtlsPart }): void {
  const section = spec.section('mtls')
  if (section === undefined) return
  section.known([
    'enabled',
    'workloadCertTTL',
    'allowedClockSkew',
    'sentryAddress',
    'controlPlaneTrustDomain',
    'tokenValidators',
  ])
  const enabled = section.bool('enabled')
  const sentryAddress = section.text('sentryAddress')
  const controlPlaneTrustDomain = section.text('controlPlaneTrustDomain')
  part.mtls = {
    ...(enabled !== undefined && { enabled }),
    ...(sentryAddress && { sentryAddress }),
    ...(controlPlaneTrustDomain && { controlPlaneTrustDomain }),
  }
}
