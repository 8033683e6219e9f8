import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '@outrigger/host'
import type { KeySource } from './key-source.ts'
import type { Validator } from './validator.ts'

/** How far the clocks of those who issue tokens may be off; as in Dapr. */
const toleranceMs = 5 * 60_000
const longestToken = 64 * 1024

export interface JwksValidatorOptions {
  readonly keys: KeySource
  /** The identity of sentry: tokens must be meant for it. */
  readonly audience: string
  readonly clock: Clock
}

/** Wants a token (JWT) signed by a known key, for the audience sentry, whose subject is the identity asked for. */
export function jwksValidator({ keys, audience, clock }: JwksValidatorOptions): Validator {
  let known: { readonly set: JSONWebKeySet; readonly key: JWTVerifyGetKey } | undefined
  const verify = async (token: string, subject: string): Promise<void> => {
    const set = keys.current()
    if (set === undefined) {
      throw new GrpcError(grpcStatus.UNAVAILABLE, 'the keys that tokens are checked with are not there yet')
    }
    // It copies the whole set: not for each token that anybody sends.
    if (known?.set !== set) known = { set, key: createLocalJWKSet(set) }
    await jwtVerify(token, known.key, {
      audience,
      subject,
      clockTolerance: toleranceMs / 1000,
      currentDate: new Date(clock.now()),
      // The library lets a token without an end last for ever.
      requiredClaims: ['exp'],
    })
  }
  return {
    name: 'jwks',
    async validate({ token }, { uri }) {
      if (token === '') throw denied('the request has no token')
      if (token.length > longestToken) throw denied(`the token is longer than ${longestToken} characters`)
      try {
        try {
          await verify(token, uri)
        } catch (error) {
          // The key may be new.
          if (!(error instanceof errors.JWKSNoMatchingKey) || !(await keys.refresh())) throw error
          await verify(token, uri)
        }
      } catch (error) {
        throw error instanceof GrpcError ? error : denied(`the token is not accepted: ${reasonOf(error)}`)
      }
    },
    close: () => keys.close(),
  }
}

function denied(message: string): GrpcError {
  return new GrpcError(grpcStatus.PERMISSION_DENIED, message)
}

/** What the library says shows nothing of the token, except of errors that it does not know itself. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'sub') return 'its subject is not the identity that is asked for'
    if (error.claim === 'aud') return 'it is meant for another audience than sentry'
    if (error.claim === 'nbf') return 'it is not valid yet'
    if (error.claim === 'exp') return 'it does not say when it expires'
    return `its claim ${error.claim} does not fit`
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'it is signed with a key that is not known'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return 'it cannot be read'
}
