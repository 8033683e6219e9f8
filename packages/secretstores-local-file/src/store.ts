import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  isComponentError,
  type ComponentContext,
  type OperationOptions,
  type SecretStore,
  type SecretStoreCapability,
} from '@outrigger/spec'
import type { FileMetadata } from './metadata.ts'
import { readSecrets, type Secrets } from './secrets.ts'

const maxBytes = 16 * 2 ** 20

/** What tells one content of the file from the next without reading it. */
type Stamp = string

interface Content {
  readonly stamp: Stamp
  readonly text?: string
}

/** Reads the file, unless its stamp is the known one. */
async function load(file: string, known?: Stamp): Promise<Content> {
  try {
    await using handle = await open(file, 'r')
    const stats = await handle.stat({ bigint: true })
    const stamp = `${stats.mtimeNs} ${stats.size} ${stats.ino}`
    if (stamp === known) return { stamp }
    if (!stats.isFile()) throw unreadable(file, 'is not a file')
    if (stats.size > maxBytes) throw unreadable(file, `has ${stats.size} bytes and the limit is ${maxBytes}`)
    return { stamp, text: await handle.readFile('utf8') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT')
      throw unreadable(
        file,
        'does not exist; a relative path counts from the folder where the process was started',
        error,
      )
    if (code === 'EACCES' || code === 'EPERM')
      throw unreadable(file, 'may not be read by this process', error)
    if (code === 'EISDIR') throw unreadable(file, 'is not a file', error)
    throw isComponentError(error) ? error : unreadable(file, `cannot be read (${code})`, error)
  }
}

function unreadable(file: string, problem: string, cause?: unknown): ComponentError {
  return new ComponentError('INVALID_METADATA', `secretsFile: ${file} ${problem}`, { cause })
}

/** Opens the store: reads the whole file, and again when it has changed. */
export async function createStore(context: ComponentContext<FileMetadata>): Promise<SecretStore> {
  const { metadata, logger } = context
  const file = resolve(context.baseDirectory, metadata.secretsFile)
  const capabilities: ReadonlySet<SecretStoreCapability> = new Set(
    metadata.multiValued ? (['multipleKeyValues'] as const) : [],
  )

  throwIfAborted(context.initSignal)
  const first = await load(file)
  let stamp: Stamp | undefined = first.stamp
  let secrets = readSecrets(file, first.text!, metadata)
  let problem: string | undefined
  let closed = false

  /** A file that became unreadable leaves the secrets as they were: it may be in the middle of being written. */
  async function refresh(): Promise<void> {
    try {
      const known = stamp
      stamp = undefined
      const next = await load(file, known)
      stamp = next.stamp
      if (next.text === undefined) return
      secrets = readSecrets(file, next.text, metadata)
      problem = undefined
      logger.info('secrets file has changed and was read again', { file })
    } catch (error) {
      if (!isComponentError(error)) throw error
      if (error.message !== problem) {
        logger.warn('secrets file has changed and cannot be used; the former secrets stay', {
          problem: error.message,
        })
      }
      problem = error.message
    }
  }

  let refreshing: Promise<void> | undefined
  async function current(options: OperationOptions): Promise<Secrets> {
    if (closed) throw new ComponentError('CLOSED', 'the secret store was closed')
    throwIfAborted(options.signal)
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
    await refreshing
    throwIfAborted(options.signal)
    return secrets
  }

  return {
    capabilities,
    async get(request, options) {
      const secret = (await current(options)).get(request.name)
      return secret === undefined ? undefined : { ...secret }
    },
    async bulkGet(_metadata, options) {
      return Object.fromEntries(Array.from(await current(options), ([name, secret]) => [name, { ...secret }]))
    },
    async ping(options) {
      await current(options)
      if (problem !== undefined) throw new ComponentError('UNAVAILABLE', problem)
    },
    close() {
      closed = true
      secrets = new Map()
      return Promise.resolve()
    },
  }
}
