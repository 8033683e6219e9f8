import type { KeyObject } from 'node:crypto'
import type { Clock, Logger } from '@outrigger/host'
import {
  SignCertificateRequest_TokenValidator as Kind,
  type SignCertificateRequest,
  type SignCertificateResponseSchema,
} from '@outrigger/proto/sentry'
import type { MessageInitShape } from '@outrigger/proto'
import { timestampFromMs } from '@outrigger/proto/wkt'
import { writeCertificates, type SpiffeId } from '@outrigger/security'
import { issueCertificate, readCertificateRequest, type Authority } from '@outrigger/security/authority'
import { GrpcError, grpcStatus, grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import type { Metrics, Refusal } from '../metrics.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { Validator } from '../validators/validator.ts'
import { dnsNamesOf, requestedIdentity, type Home } from './identity.ts'

export interface SignerOptions {
  /** May be another one at each call. */
  readonly authority: () => Authority
  readonly home: Home
  readonly validators: ReadonlyMap<Kind, Validator>
  /** For requests that name none. */
  readonly defaultValidator: Kind
  readonly tokens: () => TokenIssuer | undefined
  readonly workloadCertTtlMs: number
  readonly allowedClockSkewMs: number
  readonly metrics: Metrics
  readonly clock: Clock
  readonly logger: Logger
}

type Answer = MessageInitShape<typeof SignCertificateResponseSchema>

interface Tokens {
  /** For all audiences. */
  readonly jwt: string
  /** For each. */
  readonly perAudienceJwts: Record<string, { readonly value: string }>
}

const longestRequest = 64 * 1024

/** Answers SignCertificate: who asks, for what, with which key; then signs. */
export class Signer {
  private readonly options: SignerOptions

  constructor(options: SignerOptions) {
    this.options = options
  }

  async sign(request: SignCertificateRequest, peer: string): Promise<Answer> {
    const { metrics, logger } = this.options
    metrics.received++
    try {
      const answer = await this.answer(request)
      metrics.signed++
      return answer
    } catch (error) {
      const { id, namespace, trustDomain } = request
      const asked = `${namespace.slice(0, 100)}/${id.slice(0, 100)}`
      const fields = { peer, ...(trustDomain === '' ? {} : { trust_domain: trustDomain.slice(0, 100) }) }
      if (isGrpcError(error)) {
        metrics.failed(refusalOf(error))
        logger.warn(
          `Refused a certificate for ${asked}: ${grpcStatusName(error.code)}: ${error.message}`,
          fields,
        )
        throw error
      }
      metrics.failed('sign')
      logger.error(`A certificate for ${asked} could not be signed`, { ...fields, error })
      throw new GrpcError(grpcStatus.INTERNAL, 'the certificate could not be signed')
    }
  }

  private async answer(request: SignCertificateRequest): Promise<Answer> {
    const { authority, home, clock, workloadCertTtlMs, allowedClockSkewMs, logger } = this.options
    const validator = this.validatorOf(request.tokenValidator)
    const id = requestedIdentity(request, home)
    await validator.validate(request, id)
    const publicKey = await keyOf(request.certificateSigningRequest)
    const signing = authority()
    const now = clock.now()
    const certificate = await issueCertificate(signing, {
      publicKey,
      id,
      dnsNames: dnsNamesOf(id, home),
      notBefore: now - allowedClockSkewMs,
      notAfter: now + workloadCertTtlMs,
    })
    const tokens = await this.tokensFor(id, request.jwtAudiences)
    logger.debug(`Signed a certificate for ${id.uri}`, { validator: validator.name })
    return {
      workloadCertificate: Buffer.from(writeCertificates([certificate, ...signing.chain])),
      trustChainCertificates: [Buffer.from(writeCertificates(signing.anchors))],
      validUntil: timestampFromMs(certificate.validToDate.getTime()),
      ...tokens,
    }
  }

  private validatorOf(asked: Kind): Validator {
    const { validators, defaultValidator } = this.options
    const kind = asked === Kind.UNKNOWN ? defaultValidator : asked
    const validator = validators.get(kind)
    if (validator !== undefined) return validator
    const enabled = [...validators.values()].map(({ name }) => name).join(', ')
    throw new GrpcError(
      grpcStatus.INVALID_ARGUMENT,
      kind === Kind.UNKNOWN
        ? `the request must say how its token is checked: ${enabled}`
        : `the way in which the token is to be checked is not enabled; there is ${enabled}`,
    )
  }

  private async tokensFor(id: SpiffeId, audiences: readonly string[]): Promise<Tokens | undefined> {
    const issuer = this.options.tokens()
    if (issuer === undefined) return undefined
    // Its own trust domain is always among them.
    const all = [...new Set([id.trustDomain, ...audiences])]
    const [jwt, ...single] = await Promise.all([
      issuer.issue(id, all),
      ...all.map((audience) => issuer.issue(id, [audience])),
    ])
    return {
      jwt: jwt!,
      perAudienceJwts: Object.fromEntries(
        all.map((audience, index) => [audience, { value: single[index]! }]),
      ),
    }
  }
}

async function keyOf(pem: Uint8Array): Promise<KeyObject> {
  try {
    if (pem.length > longestRequest)
      throw new Error(`the certificate signing request is longer than ${longestRequest} bytes`)
    return await readCertificateRequest(Buffer.from(pem).toString())
  } catch (error) {
    throw new GrpcError(grpcStatus.INVALID_ARGUMENT, (error as Error).message, { cause: error })
  }
}

function refusalOf({ code }: GrpcError): Refusal {
  if (code === grpcStatus.INVALID_ARGUMENT) return 'invalid'
  return code === grpcStatus.UNAVAILABLE ? 'unavailable' : 'denied'
}
