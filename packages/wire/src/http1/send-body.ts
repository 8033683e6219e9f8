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
    const pumping =
      call.bodyLength === undefined
        ? pump(output, call, body)
        : pumpPlain(output, call, body, call.bodyLength)
    pumping.then(
      () => sent(),
      (cause: unknown) => call.failWith('ABORTED', 'the request body could not be read', cause),
    )
  }
}

/** A body whose length was announced goes out as it is. */
async function pumpPlain(
  output: Output,
  call: ClientCall,
  body: AsyncIterable<Uint8Array>,
  length: number,
): Promise<void> {
  output.append(call.head, undefined, '')
  output.flush()
  let left = length
  for await (const chunk of body) {
    if (!call.alive) return
    if (chunk.byteLength === 0) continue
    left -= chunk.byteLength
    if (left < 0) break
    output.append('', chunk, '')
    output.flush()
    await output.drained()
    if (!call.alive) return
  }
  if (left !== 0) {
    const text = `the request body is ${left < 0 ? 'longer' : 'shorter'} than the ${length} bytes that were announced`
    call.failWith('PROTOCOL', text)
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
