import { open, realpath } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { type KeyFormat, type LocalKey, parseKey } from '@outrigger/common-crypto'
import { ComponentError, isComponentError } from '@outrigger/spec'

/** No key is longer: an RSA key of 16384 bits in PEM has 13 kB. */
const maxBytes = 64 * 1024
const maxRemembered = 256

interface Remembered {
  /** Tells one content of the file from the next without reading it. */
  readonly stamp: string
  readonly key: LocalKey
}

/** The keys in the files of a folder. A file that has changed is read again by the next request. */
export class KeyFolder {
  readonly root: string
  readonly #remembered = new Map<string, Remembered>()

  /** @param root the real path of the folder */
  constructor(root: string) {
    this.root = root
  }

  /** @throws ComponentError NOT_FOUND, INVALID_ARGUMENT for a name that leads out of the folder, FAILED_PRECONDITION for what is no key */
  async key(name: string): Promise<LocalKey> {
    const quoted = JSON.stringify(name.slice(0, 200))
    const path = await this.#locate(name, quoted)
    try {
      return await this.#load(path)
    } catch (error) {
      if (isComponentError(error)) throw new ComponentError(error.code, `key ${quoted}: ${error.message}`)
      throw this.#unreadable(quoted, error)
    }
  }

  /** Forgets every key. */
  forget(): void {
    this.#remembered.clear()
  }

  /** The real path of a name's file. A symbolic link may lead anywhere inside. */
  async #locate(name: string, quoted: string): Promise<string> {
    const parts = name.split(/[\\/]/)
    if (name.includes('\0') || parts.includes('..'))
      throw new ComponentError('INVALID_ARGUMENT', `key ${quoted}: the name leads out of the folder of keys`)
    let path: string
    try {
      path = await realpath(join(this.root, name))
    } catch (error) {
      throw this.#unreadable(quoted, error)
    }
    if (path.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep)) return path
    throw new ComponentError('PERMISSION_DENIED', `key ${quoted}: it leads out of the folder of keys`)
  }

  async #load(path: string): Promise<LocalKey> {
    await using handle = await open(path, 'r')
    const stats = await handle.stat({ bigint: true })
    const stamp = `${stats.mtimeNs} ${stats.size} ${stats.ino}`
    const known = this.#remembered.get(path)
    if (known?.stamp === stamp) return known.key
    if (!stats.isFile()) throw new ComponentError('NOT_FOUND', 'there is no file of this name')
    if (stats.size > maxBytes)
      throw new ComponentError(
        'FAILED_PRECONDITION',
        `the file has ${stats.size} bytes and no key has more than ${maxBytes}`,
      )
    const key = parseKey(await handle.readFile(), formatOf(path))
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear()
    this.#remembered.set(path, { stamp, key })
    return key
  }

  #unreadable(quoted: string, error: unknown): ComponentError {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'EISDIR')
      return new ComponentError('NOT_FOUND', `there is no key ${quoted}`)
    const problem =
      code === 'EACCES' || code === 'EPERM' ? 'may not be read by this process' : `cannot be read (${code})`
    return new ComponentError('FAILED_PRECONDITION', `the file of key ${quoted} ${problem}`, { cause: error })
  }
}

/** Only these endings decide; the content does otherwise. */
function formatOf(path: string): KeyFormat | undefined {
  const ending = extname(path).toLowerCase()
  return ending === '.json' ? 'jwk' : ending === '.pem' ? 'pem' : undefined
}
