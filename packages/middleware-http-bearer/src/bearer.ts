import type { ComponentContext, HttpMiddleware, MiddlewareRequest, MiddlewareResponse } from '@outrigger/spec'
import { httpUrl } from '@outrigger/common-oauth2'
import { errors, jwtVerify } from 'jose'
import { findKeysUrl } from './discovery.ts'
import { KeySet } from './key-set.ts'

export interface Settings {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string | undefined
}

/** How far clocks may be apart, in seconds. */
const clockSkew = 5 * 60
/** Signatures that only the holder of a private key can make. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const scheme = /^bearer /i

export async function createBearer(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock, logger, initSignal } = context
  const { issuer, audience } = metadata
  const url =
    metadata.jwksUrl === undefined
      ? await findKeysUrl(issuer, { clock, signal: initSignal })
      : httpUrl('jwksURL', metadata.jwksUrl).href
  const keys = new KeySet(url, { clock, logger })
  await keys.open(initSignal)

  async function problemOf(token: string): Promise<string | undefined> {
    const currentDate = new Date(clock.now())
    try {
      await jwtVerify(token, keys.get, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockSkew,
        currentDate,
        // The library lets a token without an end last for ever.
        requiredClaims: ['exp'],
      })
      return undefined
    } catch (error) {
      if (error instanceof errors.JOSEError) return error.message
      throw error
    }
  }

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const [header = '', ...others] = request.fields.getAll('authorization')
      if (!scheme.test(header) || others.length > 0) return refuse(request, 'Bearer')
      const problem = await problemOf(header.slice('bearer '.length))
      if (problem === undefined) return next(request)
      logger.debug('a token is refused', { problem })
      return refuse(request, 'Bearer error="invalid_token"')
    },
    close: () => keys.close(),
  }
}

function refuse(request: MiddlewareRequest, challenge: string): MiddlewareResponse {
  const fields = { 'content-type': 'text/plain; charset=utf-8', 'www-authenticate': challenge }
  return request.respond(401, fields, 'Unauthorized')
}
