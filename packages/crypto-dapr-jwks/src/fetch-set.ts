import { ComponentError, type Clock } from '@outrigger/spec'
import { maxBytes } from './key-set.ts'

export interface FetchLimits {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** The text at an address. @throws ComponentError UNAVAILABLE; it names the host alone, addresses may hold secrets */
export async function fetchText(url: URL, { clock, timeoutMs, signal }: FetchLimits): Promise<string> {
  const problem = (what: string, cause?: unknown): ComponentError =>
    new ComponentError('UNAVAILABLE', `jwks: the set cannot be fetched from ${url.host}: ${what}`, { cause })
  const controller = new AbortController()
  const timer = clock.schedule(timeoutMs, () => controller.abort())
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([controller.signal, signal]),
      headers: { accept: 'application/jwk-set+json, application/json' },
    })
    if (!response.ok) {
      await response.body?.cancel()
      throw problem(`it answers with status ${response.status}`)
    }
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body ?? []) {
      length += chunk.length
      if (length > maxBytes) throw problem(`it is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  } catch (error) {
    if (error instanceof ComponentError) throw error
    if (controller.signal.aborted) throw problem(`there was no answer within ${timeoutMs} ms`)
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    throw problem(code ?? 'the connection failed', signal.aborted ? signal.reason : error)
  } finally {
    timer.cancel()
  }
}
