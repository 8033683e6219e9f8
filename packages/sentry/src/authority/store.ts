import type { Clock, Logger } from '@outrigger/host'
import { createAuthority, readAuthority, type Authority } from '@outrigger/security/authority'
import { readIfThere, writePrivate } from './files.ts'

export interface StoreOptions {
  readonly files: { readonly trustAnchors: string; readonly issuerChain: string; readonly issuerKey: string }
  readonly trustDomain: string
  readonly namespace: string
  readonly allowedClockSkewMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The authority in the files. That some of them are missing is an error: a new root would cut off whoever trusts
 * the old one.
 * @param make whether to make a root and an issuer when there is none of the files
 */
export async function loadAuthority(options: StoreOptions, make: boolean): Promise<Authority> {
  const { files, clock } = options
  const found = await Promise.all([files.trustAnchors, files.issuerChain, files.issuerKey].map(readIfThere))
  const [trustAnchors, issuerChain, issuerKey] = found
  if (trustAnchors !== undefined && issuerChain !== undefined && issuerKey !== undefined) {
    return readAuthority({ trustAnchors, issuerChain, issuerKey }, clock.now(), files)
  }
  if (!make || found.some((text) => text !== undefined)) {
    const missing = Object.values(files).filter((_, index) => found[index] === undefined)
    throw new Error(
      `the authority lacks ${missing.join(' and ')}: put back what is missing, or remove all of its files and start anew to have new ones made`,
    )
  }
  return makeAuthority(options)
}

async function makeAuthority(options: StoreOptions): Promise<Authority> {
  const { files, trustDomain, namespace, allowedClockSkewMs, clock, logger } = options
  const made = await createAuthority({
    trustDomain,
    namespace,
    now: clock.now(),
    clockSkewMs: allowedClockSkewMs,
  })
  await writePrivate(
    new Map([
      [files.issuerKey, made.issuerKey],
      [files.issuerChain, made.issuerChain],
      [files.trustAnchors, made.trustAnchors],
    ]),
  )
  logger.info(`There was no authority: made a root and an issuer, in ${files.trustAnchors} and beside it`)
  return readAuthority(made, clock.now(), files)
}
