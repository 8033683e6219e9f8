import type { SignCertificateRequest } from '@outrigger/proto/sentry'
import { longestAppId, publicTrustDomain, spiffeId, type SpiffeId } from '@outrigger/security'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'

/** Where sentry belongs to. */
export interface Home {
  readonly trustDomain: string
  readonly namespace: string
}

/** Longest namespace: of Kubernetes they are shorter. */
const longestNamespace = 253
const mostAudiences = 32
const longestAudience = 512

/**
 * The identity that a request asks for, if anybody may have it.
 * @throws GrpcError INVALID_ARGUMENT for names that cannot be, PERMISSION_DENIED for the one of sentry
 */
export function requestedIdentity(request: SignCertificateRequest, home: Home): SpiffeId {
  const { id, namespace, jwtAudiences } = request
  if (id === '') throw invalid('the request names no app id')
  if (id.length > longestAppId) throw invalid(`the app id is longer than ${longestAppId} characters`)
  if (id.includes('.')) throw invalid('the app id has a dot in it')
  if (namespace === '') throw invalid('the request names no namespace')
  if (namespace.length > longestNamespace) {
    throw invalid(`the namespace is longer than ${longestNamespace} characters`)
  }
  if (jwtAudiences.length > mostAudiences || jwtAudiences.some((each) => each.length > longestAudience)) {
    throw invalid(`there are more than ${mostAudiences} audiences, or one is longer than ${longestAudience}`)
  }
  if (jwtAudiences.includes('')) throw invalid('an audience is empty')
  let identity: SpiffeId
  try {
    identity = spiffeId(request.trustDomain || publicTrustDomain, namespace, id)
  } catch (error) {
    throw invalid((error as Error).message)
  }
  // Sentry signs for itself without asking. Whoever else had this could give identities to others.
  if (identity.trustDomain === home.trustDomain && id === 'dapr-sentry') {
    throw denied('the identity of sentry is given to nobody')
  }
  return identity
}

/** Names under which others than sidecars reach a service: webhooks of Kubernetes, schedulers each other. */
export function dnsNamesOf({ trustDomain, namespace, appId }: SpiffeId, home: Home): readonly string[] {
  if (trustDomain !== home.trustDomain || namespace !== home.namespace) return []
  switch (appId) {
    case 'dapr-injector':
      return [`dapr-sidecar-injector.${namespace}.svc`]
    case 'dapr-operator':
      return [`dapr-webhook.${namespace}.svc`]
    case 'dapr-scheduler':
      return [0, 1, 2].map(
        (index) => `dapr-scheduler-server-${index}.dapr-scheduler-server.${namespace}.svc.${trustDomain}`,
      )
    default:
      return []
  }
}

function invalid(message: string): GrpcError {
  return new GrpcError(grpcStatus.INVALID_ARGUMENT, message)
}

function denied(message: string): GrpcError {
  return new GrpcError(grpcStatus.PERMISSION_DENIED, message)
}
