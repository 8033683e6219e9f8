import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ComponentError, isComponentError, type Clock, type Logger } from '@outrigger/spec'
import { fetchText } from './fetch-set.ts'
import { maxBytes } from './key-set.ts'
import type { JwksMetadata } from './metadata.ts'

/** Where a set comes from. */
export interface SetSource {
  /** How long a set counts before `read` is to be asked again; for ever without it. */
  readonly refreshMs?: number
  /** The text of the set; `undefined` when it has not changed since the last call. */
  read(signal: AbortSignal): Promise<string | undefined>
}

/** A changed file counts after this time. */
const fileRefreshMs = 1000

/** Finds out what `jwks` is: an address, the path of a file, or the set itself. */
export async function sourceOf(
  metadata: JwksMetadata,
  context: { readonly baseDirectory: string; readonly clock: Clock; readonly logger: Logger },
): Promise<SetSource> {
  const { jwks } = metadata
  if (/^https?:\/\//.test(jwks)) return addressSource(metadata, context)
  const file = jwks.trimStart().startsWith('{') ? undefined : resolve(context.baseDirectory, jwks)
  if (file !== undefined && (await isFile(file))) return fileSource(file)
  const text = /^[A-Za-z0-9+/]+=*\s*$/.test(jwks) ? Buffer.from(jwks, 'base64').toString() : jwks
  if (text.trimStart().startsWith('{')) return { read: () => Promise.resolve(text) }
  throw new ComponentError(
    'INVALID_METADATA',
    'jwks: it is no address, no file that exists, and no JSON, plain or in base64',
  )
}

function addressSource(
  { jwks, requestTimeoutMs, minRefreshIntervalMs }: JwksMetadata,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): SetSource {
  const url = URL.canParse(jwks) ? new URL(jwks) : undefined
  if (url === undefined || url.username !== '' || url.password !== '')
    throw new ComponentError(
      'INVALID_METADATA',
      'jwks: the address is not valid, or has a user or password in it',
    )
  if (url.protocol === 'http:')
    logger.warn('the JSON Web Key Set comes over http: who is between can exchange the keys', {
      host: url.host,
    })
  // As in Dapr, times that make no sense are the defaults.
  const timeoutMs = requestTimeoutMs < 1 ? 30_000 : requestTimeoutMs
  const refreshMs = minRefreshIntervalMs < 1000 ? 600_000 : minRefreshIntervalMs
  return { refreshMs, read: (signal) => fetchText(url, { clock, timeoutMs, signal }) }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

function fileSource(file: string): SetSource {
  let stamp: string | undefined
  return {
    refreshMs: fileRefreshMs,
    async read() {
      try {
        await using handle = await open(file, 'r')
        const stats = await handle.stat({ bigint: true })
        const next = `${stats.mtimeNs} ${stats.size} ${stats.ino}`
        if (next === stamp) return undefined
        if (stats.size > maxBytes)
          throw new ComponentError(
            'INVALID_METADATA',
            `jwks: the file has ${stats.size} bytes and the limit is ${maxBytes}`,
          )
        const text = await handle.readFile('utf8')
        stamp = next
        return text
      } catch (error) {
        if (isComponentError(error)) throw error
        const { code } = error as NodeJS.ErrnoException
        throw new ComponentError('INVALID_METADATA', `jwks: the file cannot be read (${code})`, {
          cause: error,
        })
      }
    },
  }
}
