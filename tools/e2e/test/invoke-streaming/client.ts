import { once } from 'node:events'
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'

const piece = Buffer.alloc(64 * 1024, 'a piece of something large ')
const agent = new Agent({ keepAlive: true })

/** A call whose request is not complete yet. */
export interface Upload {
  readonly request: ClientRequest
  /** Rejects when the connection breaks before there is one. */
  readonly answer: Promise<IncomingMessage>
}

export async function get(url: string): Promise<IncomingMessage> {
  const outgoing = request(url, { agent })
  outgoing.end()
  return answerOf(outgoing)
}

/** Sends the head of a request; with a length it says how much will follow. */
export function post(url: string, length?: number): Upload {
  const headers = length === undefined ? {} : { 'content-length': length }
  const outgoing = request(url, { method: 'POST', agent, headers })
  outgoing.flushHeaders()
  return { request: outgoing, answer: answerOf(outgoing) }
}

/** Reads an answer to its end; throws when it breaks off. */
export async function size(answer: IncomingMessage): Promise<number> {
  let bytes = 0
  answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
  await once(answer, 'end')
  if (!answer.complete) throw new Error(`the answer broke off behind ${bytes} bytes`)
  return bytes
}

export async function text(answer: IncomingMessage): Promise<string> {
  let all = ''
  for await (const chunk of answer.setEncoding('utf8')) all += chunk as string
  return all
}

export async function send(outgoing: ClientRequest, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= piece.length) {
    if (!outgoing.write(left < piece.length ? piece.subarray(0, left) : piece)) await once(outgoing, 'drain')
  }
}

/** From sending a request to the first byte of its answer's body, in ms; the rest is read. */
export async function firstByteMs(url: string): Promise<number> {
  const startedAt = performance.now()
  const answer = await get(url)
  await once(answer, 'readable')
  const elapsed = performance.now() - startedAt
  await size(answer)
  return elapsed
}

async function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return answer
}
