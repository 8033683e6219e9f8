import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { X509Certificate } from 'node:crypto'
import { readCertificates } from '@outrigger/security'
import { CliFailure } from '../failure.ts'

/** The files of a certificate authority, as sentry names them. */
export const names = { trustAnchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' } as const

export interface Certificates {
  readonly roots: readonly X509Certificate[]
  /** The issuer first. */
  readonly chain: readonly X509Certificate[]
}

/** A file of the authority. */
export async function readFileOf(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), 'utf8')
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is none' : (cause as Error).message
    throw new CliFailure(
      `${join(folder, name)} cannot be read: ${reason}; name the folder of sentry's files with --issuer-credentials`,
      { cause },
    )
  }
}

/** The certificates of the authority; its key is not read. */
export async function readCertificatesOf(folder: string): Promise<Certificates> {
  const [roots, chain] = await Promise.all(
    [names.trustAnchors, names.issuerChain].map(async (name) => {
      const text = await readFileOf(folder, name)
      try {
        return readCertificates(text, join(folder, name))
      } catch (error) {
        throw new CliFailure((error as Error).message, { cause: error })
      }
    }),
  )
  return { roots: roots!, chain: chain! }
}

/** Replaces a file at once, so that nobody reads half of it; who may read it stays as it was, or is its owner. */
export async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name)
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  )
  try {
    await writeFile(`${path}.new`, text, { mode: 0o600 })
    await chmod(`${path}.new`, mode)
    await rename(`${path}.new`, path)
  } catch (cause) {
    throw new CliFailure(`${path} cannot be written: ${(cause as Error).message}`, { cause })
  }
}
