import { expect, it } from 'vitest'
import { securityFromEnvironment } from './environment.ts'

it('has defaults', () => {
  expect(securityFromEnvironment({ NAMESPACE: '', DAPR_TRUST_ANCHORS: '' })).toEqual({
    namespace: 'default',
    controlPlaneNamespace: 'default',
    controlPlaneTrustDomain: 'localhost',
  })
})

it('reads the names of Dapr', () => {
  const env = {
    NAMESPACE: 'shop',
    DAPR_CONTROLPLANE_NAMESPACE: 'dapr-system',
    DAPR_CONTROLPLANE_TRUST_DOMAIN: 'cluster.local',
    DAPR_TRUST_ANCHORS: 'pem',
    DAPR_TRUST_ANCHORS_FILE: '/ca.crt',
    DAPR_SENTRY_TOKEN_FILE: '',
    SENTRY_LOCAL_IDENTITY: 'shop:orders',
  }
  expect(securityFromEnvironment(env)).toEqual({
    namespace: 'shop',
    controlPlaneNamespace: 'dapr-system',
    controlPlaneTrustDomain: 'cluster.local',
    trustAnchors: 'pem',
    trustAnchorsFile: '/ca.crt',
    tokenFile: '',
    localIdentity: 'shop:orders',
  })
})
