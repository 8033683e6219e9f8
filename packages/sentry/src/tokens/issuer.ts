import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '@outrigger/host'
import type { SpiffeId } from '@outrigger/security'
import type { TokenKeys } from './keys.ts'

export interface TokenIssuerOptions {
  readonly keys: TokenKeys
  /** Claim `iss`; none when absent. */
  readonly issuer: string | undefined
  readonly ttlMs: number
  readonly clockSkewMs: number
  readonly clock: Clock
}

/** Issues tokens that say the same as a certificate: the bearer is this identity. */
export class TokenIssuer {
  private readonly options: TokenIssuerOptions

  constructor(options: TokenIssuerOptions) {
    this.options = options
  }

  get keys(): TokenKeys {
    return this.options.keys
  }

  issue({ uri }: SpiffeId, audiences: readonly string[]): Promise<string> {
    const { keys, issuer, ttlMs, clockSkewMs, clock } = this.options
    const now = Math.floor(clock.now() / 1000)
    // Some of those who check tokens (Azure) want to see the use.
    const token = new SignJWT({ use: 'sig' })
      .setProtectedHeader({ alg: keys.algorithm, kid: keys.keyId, typ: 'JWT' })
      .setJti(randomBytes(16).toString('hex'))
      .setSubject(uri)
      .setAudience([...audiences])
      .setIssuedAt(now)
      .setNotBefore(now - Math.ceil(clockSkewMs / 1000))
      .setExpirationTime(now + Math.floor(ttlMs / 1000))
    if (issuer !== undefined) token.setIssuer(issuer)
    return token.sign(keys.key)
  }
}
