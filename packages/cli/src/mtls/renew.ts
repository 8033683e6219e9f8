import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSpiffeId, readCertificates, validityOf, writeCertificates } from '@outrigger/security'
import { createAuthority, readAuthority, type AuthorityFiles } from '@outrigger/security/authority'
import { CliFailure } from '../failure.ts'
import { names, readCertificatesOf, readFileOf, replaceFile, type Certificates } from './files.ts'

export interface RenewOptions {
  readonly folder: string
  readonly validDays: number
  /** Of the new certificates; without them, those of the old ones. */
  readonly trustDomain: string | undefined
  readonly namespace: string | undefined
  /** Files to take instead of new ones. */
  readonly given: AuthorityFiles | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Waits until everybody has seen the new root. */
  readonly settle: () => Promise<void>
  readonly print: (line: string) => void
}

const dayMs = 86_400_000
const clockSkewMs = 15 * 60_000

/**
 * Puts a new root beside the old one, waits until sentry and the sidecars have it, and then lets the new issuer sign.
 * Nobody has to be restarted, as long as the files are watched.
 */
export async function renew(options: RenewOptions): Promise<void> {
  const { folder, now, given, settle, print } = options
  const old = await readCertificatesOf(folder)
  const next = given ?? (await makeNew(options, old))
  const { trustAnchors } = next
  mustFit(next, now, given === undefined ? names : undefined)
  const known = new Set(
    readCertificates(trustAnchors, 'the new root').map(({ fingerprint256 }) => fingerprint256),
  )
  const kept = old.roots.filter((root) => validityOf(root).notAfter > now && !known.has(root.fingerprint256))
  await replaceFile(folder, names.trustAnchors, writeCertificates(kept) + trustAnchors)
  print(`wrote ${join(folder, names.trustAnchors)}: the new root, and ${kept.length} beside it`)
  print('waiting until sentry and the sidecars have read it')
  await settle()
  await replaceFile(folder, names.issuerKey, next.issuerKey)
  await replaceFile(folder, names.issuerChain, next.issuerChain)
  print(`wrote ${join(folder, names.issuerChain)} and ${names.issuerKey}: sentry signs with them from now on`)
  print('')
  print(
    'Sidecars that watch the file of their trust anchors renew by themselves; others need the new ca.crt first.',
  )
  if (kept.length > 0) print('When every sidecar has renewed (24 hours): outrigger mtls remove-old-roots')
}

/** Keeps of the roots only the one that the issuer comes from. */
export async function removeOldRoots(
  folder: string,
  now: number,
  print: (line: string) => void,
): Promise<void> {
  const [trustAnchors, issuerChain, issuerKey] = await Promise.all(
    Object.values(names).map((name) => readFileOf(folder, name)),
  )
  const files = { trustAnchors: trustAnchors!, issuerChain: issuerChain!, issuerKey: issuerKey! }
  const { anchors, chain } = mustFit(files, now, names)
  const last = chain.at(-1)!
  const kept = anchors.filter((root) => last.checkIssued(root) && last.verify(root.publicKey))
  if (kept.length === anchors.length) return print('There are no old roots.')
  await replaceFile(folder, names.trustAnchors, writeCertificates(kept))
  const removed = anchors.length - kept.length
  print(
    `wrote ${join(folder, names.trustAnchors)}: ${removed} old root${removed === 1 ? ' is' : 's are'} gone`,
  )
}

/** The files that somebody brings. */
export async function readGiven(paths: {
  readonly root: string | undefined
  readonly issuer: string | undefined
  readonly key: string | undefined
}): Promise<AuthorityFiles | undefined> {
  const { root, issuer, key } = paths
  if (root === undefined && issuer === undefined && key === undefined) return undefined
  if (root === undefined || issuer === undefined || key === undefined) {
    throw new CliFailure(
      '--ca-root-certificate, --issuer-public-certificate and --issuer-private-key belong together: name all of them',
    )
  }
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8')
    } catch (cause) {
      throw new CliFailure(`${path} cannot be read: ${(cause as Error).message}`, { cause })
    }
  }
  const [trustAnchors, issuerChain, issuerKey] = await Promise.all([root, issuer, key].map(read))
  return { trustAnchors: trustAnchors!, issuerChain: issuerChain!, issuerKey: issuerKey! }
}

function makeNew(options: RenewOptions, { chain }: Certificates): Promise<AuthorityFiles> {
  // The issuer bears the identity of the sentry that it was made for.
  const line = chain[0]?.subject.split('\n').find((part) => part.startsWith('O='))
  const id = parseSpiffeId(line?.slice('O='.length) ?? '')
  const trustDomain = options.trustDomain ?? id?.trustDomain
  const namespace = options.namespace ?? id?.namespace
  if (trustDomain === undefined || namespace === undefined) {
    throw new CliFailure(
      'the issuer does not say which trust domain and namespace it is for: add --trust-domain and --namespace',
    )
  }
  const { now, validDays } = options
  return createAuthority({ trustDomain, namespace, now, clockSkewMs, validityMs: validDays * dayMs })
}

function mustFit(files: AuthorityFiles, now: number, called: typeof names | undefined) {
  try {
    return readAuthority(
      files,
      now,
      called ?? {
        trustAnchors: 'the given root',
        issuerChain: 'the given issuer',
        issuerKey: 'the given key',
      },
    )
  } catch (error) {
    throw new CliFailure((error as Error).message, { cause: error })
  }
}
