import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ComponentError } from '@outrigger/spec'

/** Largest module, in bytes. */
const maxBytes = 64 * 1024 * 1024

/** The bytes of a module. @throws ComponentError INVALID_METADATA, UNAVAILABLE */
export async function loadModule(
  url: string,
  baseDirectory: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === 'file') return fromFile(resolve(baseDirectory, url.replace(/^file:(?:\/\/)?/i, '')))
  if (scheme === 'http' || scheme === 'https') return fromServer(url, signal)
  throw new ComponentError(
    'INVALID_METADATA',
    `url must begin with file://, http:// or https://, got "${url.slice(0, 200)}"`,
  )
}

async function fromFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ComponentError(
      'INVALID_METADATA',
      `url names the file ${path}, which cannot be read (${code})`,
      { cause },
    )
  }
}

async function fromServer(url: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url, { signal })
    if (response.status !== 200) throw new Error(`it answers with status ${response.status}`)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return new Uint8Array(Buffer.concat(chunks))
  } catch (cause) {
    const error = cause as Error
    const reason = error.cause instanceof Error ? error.cause.message || error.message : error.message
    throw new ComponentError('UNAVAILABLE', `the module ${url} cannot be fetched: ${reason}`, { cause })
  }
}
