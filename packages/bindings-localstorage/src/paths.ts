import { mkdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { ComponentError } from '@outrigger/spec'

/** Folders of the system that no binding may open; /run/secrets is where /var/run/secrets mostly leads. */
const refused = ['/proc', '/sys', '/boot', '/var/run/secrets', '/run/secrets']

/** Whether a real path is a folder or inside of it. */
function within(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** The real path of the part that exists, with the part that does not exist put back behind it. */
async function realOf(path: string): Promise<string> {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(await realpath(at), ...missing)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(at) === at) throw error
      missing.unshift(basename(at))
    }
  }
}

/**
 * Makes the folder if needed and returns its real path.
 * @throws ComponentError INVALID_METADATA
 */
export async function openRoot(baseDirectory: string, rootPath: string): Promise<string> {
  const invalid = (problem: string, cause?: unknown): ComponentError =>
    new ComponentError('INVALID_METADATA', `rootPath ${JSON.stringify(rootPath)} ${problem}`, { cause })
  let root: string
  try {
    root = await realOf(resolve(baseDirectory, rootPath))
  } catch (error) {
    throw invalid(`cannot be opened (${(error as NodeJS.ErrnoException).code})`, error)
  }
  if (refused.some((folder) => within(folder, root)))
    throw invalid('is a folder of the system, which is not allowed')
  try {
    await mkdir(root, { recursive: true })
    if ((await stat(root)).isDirectory()) return root
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw invalid(`cannot be made (${code})`, error)
  }
  throw invalid('is, or is inside of, a file and not a folder')
}

/**
 * Finds the real path that a name means. As in a changed root, `..` does not lead out of the folder and a leading `/` is the
 * folder itself; a symbolic link may lead anywhere inside.
 * @param followLast whether a symbolic link at the very end is followed
 * @throws ComponentError when a link leads outside
 */
export async function locate(root: string, fileName: string, followLast = true): Promise<string> {
  if (fileName.includes('\0'))
    throw new ComponentError('INVALID_ARGUMENT', 'fileName: must not have a NUL character')
  const parts: string[] = []
  for (const part of fileName.split(sep === '\\' ? /[\\/]/ : '/')) {
    if (sep === '\\' && part.includes(':'))
      throw new ComponentError('INVALID_ARGUMENT', 'fileName: must not have a ":"')
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const last = followLast ? undefined : parts.pop()
  const path = await realOf(join(root, ...parts))
  if (!within(root, path) || refused.some((folder) => within(folder, path))) {
    throw new ComponentError(
      'PERMISSION_DENIED',
      `fileName ${JSON.stringify(fileName)}: leads out of rootPath`,
    )
  }
  return last === undefined ? path : join(path, last)
}

/** The name of a path inside the folder, as answers have it. */
export function nameOf(root: string, path: string): string {
  return relative(root, path)
}
