import { ComponentError, type Clock } from '@outrigger/spec'

export interface FetchOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Default 30 s. */
  readonly timeoutMs?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A form: the request is a POST then. */
  readonly form?: URLSearchParams
}

export interface JsonAnswer {
  readonly status: number
  /** `undefined` where it is no JSON. */
  readonly value: unknown
}

/** Longest answer that is read. */
const maxBytes = 1024 * 1024

/**
 * Asks for JSON; any status is an answer. A form is not sent on to where a redirect leads, as it may hold a secret.
 * @throws ComponentError UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED
 */
export async function fetchJson(url: string, options: FetchOptions): Promise<JsonAnswer> {
  const { clock, signal, timeoutMs = 30_000, headers, form } = options
  const controller = new AbortController()
  const stop = () => controller.abort(signal?.reason)
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  let late = false
  const timer = clock.schedule(timeoutMs, () => {
    late = true
    controller.abort()
  })
  try {
    const response = await fetch(url, {
      signal: controller.signal,
      headers: { accept: 'application/json', ...headers },
      ...(form === undefined ? {} : { method: 'POST', body: form, redirect: 'manual' }),
    })
    const bytes = await limited(response)
    return { status: response.status, value: parsed(bytes) }
  } catch (cause) {
    const shown = shownUrl(url)
    if (late)
      throw new ComponentError('DEADLINE_EXCEEDED', `${shown} did not answer within ${timeoutMs} ms`, {
        cause,
      })
    if (signal?.aborted === true)
      throw new ComponentError('CANCELLED', `the request to ${shown} was given up`, { cause })
    throw new ComponentError('UNAVAILABLE', `${shown} cannot be reached: ${reasonOf(cause)}`, { cause })
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', stop)
  }
}

async function limited(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What fetch says itself is always the same.
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}

/** For messages: a query may hold a key. */
export function shownUrl(url: string): string {
  return url.split(/[?#]/, 1)[0]!
}

/** A URL of http or https, without user and password, which no request could be made with. @throws ComponentError INVALID_METADATA that names the field */
export function httpUrl(field: string, text: string): URL {
  let url: URL | undefined
  try {
    url = new URL(text)
  } catch {
    // Said below.
  }
  if (url !== undefined && (url.username !== '' || url.password !== ''))
    throw new ComponentError('INVALID_METADATA', `${field} must not have a user or a password in it`)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text
  throw new ComponentError('INVALID_METADATA', `${field} must be a URL of http or https, got "${shown}"`)
}
