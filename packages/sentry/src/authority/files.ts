import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const largestFile = 1024 * 1024

/** A file as text; `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > largestFile) throw new Error(`${path} is larger than ${largestFile} bytes`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes files that only their owner may read, all or none, and none of them over one that is there. */
export async function writePrivate(files: ReadonlyMap<string, string>): Promise<void> {
  const written: string[] = []
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(`${path}.new`, text, { mode: 0o600, flag: 'wx' })
      written.push(`${path}.new`)
    }
    for (const path of files.keys()) await rename(`${path}.new`, path)
  } catch (cause) {
    for (const path of written) await unlink(path).catch(() => {})
    const reason = (cause as Error).message
    throw new Error(
      `the certificates cannot be written: ${reason}; name another folder with --issuer-credentials`,
      {
        cause,
      },
    )
  }
}

/** Something that differs when any of the files was replaced, written, added or removed. */
export async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      try {
        const { mtimeNs, size, ino } = await stat(path, { bigint: true })
        return `${mtimeNs} ${size} ${ino}`
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? 'unknown'
      }
    }),
  )
  return stamps.join(', ')
}
