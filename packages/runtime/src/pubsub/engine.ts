import { constants } from 'node:fs'
import {
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { throwIfAborted } from '@outrigger/kit'
import { ComponentError, type BindingData, type Random } from '@outrigger/spec'
import { fileError } from './errors.ts'

/** Begins the names of files that are not complete; they are in no list. */
const incomplete = '.outrigger-incomplete-'

const chunkBytes = 64 * 1024

// Absent on Windows. Without waiting: a pipe would wait for somebody to write into it.
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Writes a file: others see the former content or the whole new one, also after a crash. */
export async function write(
  path: string,
  data: BindingData,
  random: Random,
  signal?: AbortSignal,
): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const former = await stat(path).catch(() => undefined)
  const temporary = join(folder, incomplete + random.uuid())
  try {
    {
      await using handle = await open(temporary, 'wx')
      if (former?.isFile() === true) await handle.chmod(former.mode & 0o777)
      await fill(handle, data, signal)
      await handle.sync()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function fill(handle: FileHandle, data: BindingData, signal: AbortSignal | undefined): Promise<void> {
  for await (const chunk of data instanceof Uint8Array ? [data] : data) {
    throwIfAborted(signal)
    await handle.writeFile(chunk)
  }
}

/** Reads a file: a small one whole, a large one as a stream that opens the file when it is first read from. */
export async function read(path: string, fileName: string, signal?: AbortSignal): Promise<BindingData> {
  await using handle = await openFile(path)
  const { size } = await handle.stat()
  if (size > chunkBytes) return chunks(path, fileName, signal)
  return handle.readFile()
}

async function* chunks(
  path: string,
  fileName: string,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  try {
    await using handle = await openFile(path)
    for (;;) {
      throwIfAborted(signal)
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(chunkBytes), 0, chunkBytes)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } catch (error) {
    throw fileError(error, fileName)
  }
}

async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, readFlags)
  try {
    if ((await handle.stat()).isFile()) return handle
    throw new ComponentError('INVALID_ARGUMENT', 'fileName: it is not a file')
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Deletes a file, a symbolic link or an empty folder. */
export async function remove(path: string): Promise<void> {
  if ((await lstat(path)).isDirectory()) await rmdir(path)
  else await unlink(path)
}

/** The paths of everything in a folder and its folders that is not a folder itself, in order. Links are not followed. */
export async function* walk(folder: string): AsyncIterable<string> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (!entry.name.startsWith(incomplete)) yield path
  }
}
