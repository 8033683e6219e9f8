import type { Section } from '../resources/section.ts'

/** `spec.mtls`, as far as sidecars need it; flags and environment come first. */
export interface MtlsSettings {
  readonly enabled: boolean
  readonly sentryAddress: string | undefined
  readonly controlPlaneTrustDomain: string | undefined
}

/** Reads the section. What only the control plane needs is left to it. */
export function readMtls(spec: Section, part: { mtls?: MtlsSettings }): void {
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
  part.mtls = {
    enabled: section.bool('enabled') ?? false,
    sentryAddress: section.text('sentryAddress') || undefined,
    controlPlaneTrustDomain: section.text('controlPlaneTrustDomain') || undefined,
  }
}
