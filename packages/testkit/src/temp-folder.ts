import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder {
  readonly path: string
  remove(): Promise<void>
}

/** A new empty folder; remove it with `onTestFinished(folder.remove)`. */
export async function tempFolder(prefix = 'outrigger-'): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true })
  return { path, remove }
}
