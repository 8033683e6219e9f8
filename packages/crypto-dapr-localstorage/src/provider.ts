import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createLocalProvider } from '@outrigger/common-crypto'
import { throwIfAborted } from '@outrigger/kit'
import { ComponentError, type ComponentContext, type CryptoProvider } from '@outrigger/spec'
import { KeyFolder } from './folder.ts'
import type { FolderMetadata } from './metadata.ts'

/** Opens the folder; its keys are read when they are asked for. */
export async function createProvider(context: ComponentContext<FolderMetadata>): Promise<CryptoProvider> {
  throwIfAborted(context.initSignal)
  const { path } = context.metadata
  const folder = new KeyFolder(await openFolder(resolve(context.baseDirectory, path), path))
  return createLocalProvider({
    key: (name) => folder.key(name),
    async ping() {
      await openFolder(folder.root, path)
    },
    close: () => Promise.resolve(folder.forget()),
  })
}

/** The real path of the folder. @throws ComponentError INVALID_METADATA */
async function openFolder(absolute: string, written: string): Promise<string> {
  const invalid = (problem: string, cause?: unknown): ComponentError =>
    new ComponentError('INVALID_METADATA', `path ${JSON.stringify(written)} ${problem}`, { cause })
  let isFolder: boolean
  try {
    isFolder = (await stat(absolute)).isDirectory()
    if (isFolder) return await realpath(absolute)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw invalid(code === 'ENOENT' ? 'does not exist' : `cannot be opened (${code})`, error)
  }
  throw invalid('is not a folder')
}
