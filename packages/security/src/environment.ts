import type { SecurityOptions } from './security.ts'

type FromEnvironment = Pick<
  SecurityOptions,
  | 'namespace'
  | 'controlPlaneNamespace'
  | 'controlPlaneTrustDomain'
  | 'tokenFile'
  | 'trustAnchors'
  | 'trustAnchorsFile'
>

/**
 * What the environment says about identities, under Dapr's names: NAMESPACE, DAPR_CONTROLPLANE_NAMESPACE,
 * DAPR_CONTROLPLANE_TRUST_DOMAIN, DAPR_TRUST_ANCHORS, DAPR_SENTRY_TOKEN_FILE, SENTRY_LOCAL_IDENTITY; and
 * DAPR_TRUST_ANCHORS_FILE, for roots that can be replaced.
 */
export function securityFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): FromEnvironment & { readonly localIdentity: string | undefined } {
  const given = (name: string): string | undefined => env[name] || undefined
  return {
    namespace: given('NAMESPACE') ?? 'default',
    controlPlaneNamespace: given('DAPR_CONTROLPLANE_NAMESPACE') ?? 'default',
    controlPlaneTrustDomain: given('DAPR_CONTROLPLANE_TRUST_DOMAIN') ?? 'localhost',
    trustAnchors: given('DAPR_TRUST_ANCHORS'),
    trustAnchorsFile: given('DAPR_TRUST_ANCHORS_FILE'),
    // Set and empty is a mistake that is told when it is read.
    tokenFile: env['DAPR_SENTRY_TOKEN_FILE'],
    localIdentity: given('SENTRY_LOCAL_IDENTITY'),
  }
}
