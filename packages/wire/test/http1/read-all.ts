import { BodyReader } from '../../src/http1/body-reader.ts'
import { splitFields } from '../../src/http1/field-section.ts'
import type { MessageHead } from '../../src/http1/message-head.ts'
import { Refusal } from '../../src/http1/refusal.ts'
import { RequestHead } from '../../src/http1/request-head.ts'
import { ResponseHead } from '../../src/http1/response-head.ts'
import { mayHaveBody } from '../../src/http1/status.ts'

/** A message as it was understood; what differs here is a difference that could be abused. */
export interface Message {
  /** Method and target, or status. */
  readonly start: string
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
}

const limits = { maxHeaderBytes: 16 * 1024, maxFields: 1000, maxTargetBytes: 8 * 1024 }

/** Reads messages as a connection does, from bytes in the given pieces. */
export function readAll(
  kind: 'requests' | 'response',
  pieces: readonly Buffer[],
): { messages: Message[]; refused: number } {
  const head = kind === 'requests' ? new RequestHead(limits) : new ResponseHead(limits)
  const body = new BodyReader(limits)
  const messages: Message[] = []
  let current: { start: string; fields: string[]; chunks: Uint8Array[]; last: boolean } | undefined
  let rest = Buffer.alloc(0)
  let closed = false

  const finish = (): void => {
    const { start, fields, chunks, last } = current!
    messages.push({
      start,
      fields,
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: body.trailers ?? [],
    })
    closed = last
    current = undefined
  }
  const read = (bytes: Buffer): number => {
    let at = 0
    while (at < bytes.length && !closed) {
      if (current === undefined) {
        const next = head.read(bytes, at)
        if (next < 0) return at
        at = next
        const informational = head instanceof ResponseHead && head.status < 200
        if (!informational) {
          layout(head, body)
          const last = kind === 'response' || !head.keepAlive
          current = { start: start(head), fields: splitFields(head.text, head.fieldsAt), chunks: [], last }
        }
        head.next()
      } else {
        const { chunks } = current
        at = body.read(bytes, at, { push: (chunk) => chunks.push(chunk) })
      }
      if (current !== undefined && body.done) finish()
    }
    return at
  }

  try {
    for (const piece of pieces) {
      const bytes = Buffer.concat([rest, piece])
      rest = bytes.subarray(read(bytes))
      if (closed) break
    }
    if (current !== undefined && kind === 'response' && body.close()) finish()
    return { messages, refused: 0 }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { messages, refused: error.status }
  }
}

function layout(head: MessageHead, body: BodyReader): void {
  if (head instanceof ResponseHead && !mayHaveBody(head.status)) body.beginSized(0)
  else if (head.chunked) body.beginChunked()
  else if (head.contentLength >= 0 || head instanceof RequestHead)
    body.beginSized(Math.max(0, head.contentLength))
  else body.beginUntilClose()
}

function start(head: MessageHead): string {
  if (head instanceof ResponseHead) return String(head.status)
  return head.text.trimStart().split(' ', 2).join(' ')
}
