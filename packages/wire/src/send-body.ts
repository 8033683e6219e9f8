import type { ClientRequest as Outgoing } from 'node:http'
import type { ClientRequest } from './types.ts'

/** Sends a request body; `failed` is told when its source fails. A response may come before its end. */
export function sendBody(
  outgoing: Outgoing,
  body: ClientRequest['body'],
  failed: (cause: unknown) => void,
): void {
  if (body === undefined) outgoing.end()
  else if (typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body)
  else pump(outgoing, body).catch(failed)
}

async function pump(outgoing: Outgoing, body: AsyncIterable<Uint8Array>): Promise<void> {
  outgoing.flushHeaders()
  for await (const chunk of body) {
    // Leaving the loop closes the source.
    if (outgoing.destroyed) return
    if (!outgoing.write(chunk)) await writable(outgoing)
    if (outgoing.destroyed) return
  }
  outgoing.end()
}

function writable(outgoing: Outgoing): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}
