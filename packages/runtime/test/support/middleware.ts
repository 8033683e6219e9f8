import type { HttpMiddleware } from '@outrigger/spec'

/** A middleware from a function. */
export function middleware(handle: HttpMiddleware['handle']): HttpMiddleware {
  return { capabilities: new Set(), handle, close: async () => {} }
}

/** Writes its name on the way in and on the way out. */
export function tracer(name: string, log: string[]): HttpMiddleware {
  return middleware(async (request, next) => {
    log.push(`> ${name}`)
    request.fields.append('x-in', name)
    const response = await next(request)
    log.push(`< ${name}`)
    response.fields.append('x-out', name)
    return response
  })
}

export async function* upper(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield Buffer.from(Buffer.from(chunk).toString().toUpperCase())
}

/** Chunks that are made one by one, and how many were asked for so far. */
export function source(chunks: readonly string[]) {
  const state = { pulled: 0, closed: false }
  async function* pull(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        state.pulled++
        yield Buffer.from(chunk)
      }
    } finally {
      state.closed = true
    }
  }
  return Object.assign(state, { stream: pull() })
}
