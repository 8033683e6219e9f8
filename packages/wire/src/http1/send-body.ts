import type { ClientCall } from './client-call.ts'
import { byteLength } from './output.ts'
import type { Output } from './output.ts'

/** Sends a request; `sent` is told when that is complete. A response may come before. */
export function sendBody(output: Output, call: ClientCall, sent: () => void): void {
  const { body } = call
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    output.append(call.head, body, '')
    output.flush()
    sent()
  } else {
    pump(output, call, body).then(
      () => sent(),
      (cause: unknown) => call.failWith('ABORTED', 'the request body could not be read', cause),
    )
  }
}

async function pump(output: Output, call: ClientCall, body: AsyncIterable<Uint8Array>): Promise<void> {
  output.append(call.head, undefined, '')
  output.flush()
  for await (const chunk of body) {
    // Leaving the loop closes the source.
    if (!call.alive) return
    if (chunk.byteLength === 0) continue
    output.append(`${byteLength(chunk).toString(16)}\r\n`, chunk, '\r\n')
    output.flush()
    await output.drained()
    if (!call.alive) return
  }
  output.append('0\r\n\r\n', undefined, '')
  output.flush()
}
