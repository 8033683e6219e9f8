import { Duplex } from 'node:stream'
import { createServer, request as nodeRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { requests, responses, tokens } from './corpus.ts'
import { readAll } from './read-all.ts'
import type { Message } from './read-all.ts'

/** How long each part mutates; `WIRE_FUZZ_MS` makes it longer, `WIRE_FUZZ_SEED` repeats what was found. */
const fuzzMs = Number(process.env['WIRE_FUZZ_MS'] ?? 2_000)
const seed = Number(process.env['WIRE_FUZZ_SEED'] ?? 1)

/** mulberry32: small, and the same everywhere. */
function randomFrom(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function mutate(corpus: readonly string[], random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  let text = pick(corpus)
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const at = Math.floor(random() * (text.length + 1))
    const length = Math.floor(random() ** 3 * 20)
    const kind = random()
    if (kind < 0.4) text = text.slice(0, at) + pick(tokens) + text.slice(at)
    else if (kind < 0.6) text = text.slice(0, at) + text.slice(at + length)
    else if (kind < 0.75) text = text.slice(0, at) + pick(tokens) + text.slice(at + 1)
    else if (kind < 0.85)
      text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1)
    else if (kind < 0.95) text = text.slice(0, at + length) + text.slice(at)
    else text = text.slice(0, at) + pick(corpus)
  }
  return text
}

function inPieces(bytes: Buffer, random: () => number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + Math.floor(random() * 12)
    pieces.push(bytes.subarray(at, next))
    at = next
  }
  return pieces
}

/** A connection without a network: gives these bytes and then ends. */
function connection(bytes: Buffer): Duplex {
  return new Duplex({
    read() {
      this.push(bytes)
      this.push(null)
    },
    write: (_chunk, _encoding, done) => done(),
  })
}

function collect(incoming: IncomingMessage, start: string, done: (message: Message) => void): void {
  const chunks: Buffer[] = []
  const fields = [...incoming.rawHeaders]
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('error', () => {})
  incoming.on('end', () => {
    if (!incoming.complete) return
    done({
      start,
      fields,
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: [...incoming.rawTrailers],
    })
  })
}

/** The requests that Node's own parser sees. */
async function nodeReadsRequests(bytes: Buffer): Promise<Message[]> {
  const messages: Message[] = []
  const server = createServer({ maxHeaderSize: 64 * 1024, connectionsCheckingInterval: 1 << 30 })
  server.maxHeadersCount = 0
  let index = 0
  const take = (incoming: IncomingMessage): void => {
    const own = index++
    collect(incoming, `${incoming.method} ${incoming.url}`, (message) => (messages[own] = message))
  }
  server.on('request', (incoming, outgoing) => {
    take(incoming)
    outgoing.end()
  })
  server.on('checkContinue', (incoming, outgoing) => {
    take(incoming)
    outgoing.end()
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  const socket = connection(bytes)
  server.emit('connection', socket)
  await closed(socket)
  server.close()
  const gap = Array.from(messages).findIndex((message) => message === undefined)
  return gap < 0 ? messages : messages.slice(0, gap)
}

async function nodeReadsResponse(bytes: Buffer): Promise<Message[]> {
  const messages: Message[] = []
  const socket = connection(bytes)
  const outgoing = nodeRequest({ createConnection: () => socket as never, maxHeaderSize: 64 * 1024 })
  outgoing.maxHeadersCount = 0
  outgoing.on('response', (incoming) =>
    collect(incoming, String(incoming.statusCode), (message) => messages.push(message)),
  )
  outgoing.on('error', () => socket.destroy())
  outgoing.end()
  await closed(socket)
  return messages
}

async function closed(socket: Duplex): Promise<void> {
  // Whatever keeps it open keeps it open without input: nothing more will come of it.
  for (let turn = 0; turn < 12 && !socket.closed; turn++) await new Promise(setImmediate)
  socket.destroy()
}

/** What both took they must have understood alike. */
function compare(ours: readonly Message[], theirs: readonly Message[], input: string): void {
  const common = Math.min(ours.length, theirs.length)
  expect(ours.slice(0, common), JSON.stringify(input)).toEqual(theirs.slice(0, common))
}

const parts = [
  { kind: 'requests', corpus: requests, node: nodeReadsRequests },
  { kind: 'response', corpus: responses, node: nodeReadsResponse },
] as const

describe.each(parts)('$kind', ({ kind, corpus, node }) => {
  it('of the corpus are read as Node reads them', async () => {
    let accepted = 0
    for (const text of corpus) {
      const bytes = Buffer.from(text, 'latin1')
      const ours = readAll(kind, [bytes])
      compare(ours.messages, await node(bytes), text)
      accepted += ours.messages.length
    }
    expect(accepted).toBeGreaterThan(corpus.length / 4)
  })

  it(`are read alike however they are mutated, for ${fuzzMs} ms`, async () => {
    const random = randomFrom(seed)
    const deadline = performance.now() + fuzzMs
    let tried = 0
    let both = 0
    for (; performance.now() < deadline; tried++) {
      const text = mutate(corpus, random)
      const bytes = Buffer.from(text, 'latin1')
      const ours = readAll(kind, [bytes])
      const theirs = await node(bytes)
      compare(ours.messages, theirs, text)
      // In pieces a fault may be seen later, when its line is complete; it must not be understood otherwise.
      expect(readAll(kind, inPieces(bytes, random)).messages, JSON.stringify(text)).toEqual(ours.messages)
      if (ours.messages.length > 0 && theirs.length > 0) both++
    }
    // Otherwise nothing would have been compared.
    expect(both).toBeGreaterThan(tried / 20)
  })
})
