import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const piece = Buffer.alloc(64 * 1024, 'a piece of something large ')

/** What became of one call. */
export interface Seen {
  /** Bytes of the request that came. */
  received: number
  /** The request broke off, or the answer could not be delivered. */
  aborted: boolean
  /** Everything came and everything went. */
  finished: boolean
  /** Goes on with what the path waits for. */
  go(): void
}

/**
 * An application that streams, in the process of the test. It knows what became of each call, by the last segment of
 * its path:
 * - `/down/BYTES/ID` answers with so many bytes, and `?first` holds all but the first piece until `go`;
 * - `/events/ID` sends one server-sent event for each `go`;
 * - `/up/ID` reads everything and answers with its length; `?hold` stops reading behind the first bytes;
 * - `/break/ID` sends one piece, and cuts the connection on `go`;
 * - `/refuse/ID` cuts the connection behind the first bytes of the request.
 */
export class StreamingApp {
  readonly port: number
  readonly #server: Server
  readonly #calls: Map<string, Seen>

  private constructor(server: Server, calls: Map<string, Seen>) {
    this.#server = server
    this.#calls = calls
    this.port = (server.address() as AddressInfo).port
  }

  static async start(): Promise<StreamingApp> {
    const calls = new Map<string, Seen>()
    const server = createServer((request, response) => {
      serve(calls, request, response).catch(() => response.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new StreamingApp(server, calls)
  }

  call(id: string): Seen | undefined {
    return this.#calls.get(id)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function serve(
  calls: Map<string, Seen>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '', query] = request.url!.split('?')
  const segments = path.split('/')
  let go = (): void => {}
  const next = (): Promise<void> => new Promise((resolve) => (go = resolve))
  const told = next()
  const seen: Seen = { received: 0, aborted: false, finished: false, go: () => go() }
  calls.set(segments.at(-1)!, seen)
  response.on('close', () => {
    if (response.writableFinished && request.complete) seen.finished = true
    else seen.aborted = true
  })
  switch (segments[1]) {
    case 'down':
      return down(response, Number(segments[2]), query === 'first' ? told : undefined)
    case 'events':
      return events(response, told, next)
    case 'up':
      for await (const chunk of request) {
        seen.received += (chunk as Buffer).length
        if (query === 'hold') await told
      }
      return void response.end(String(seen.received))
    case 'break':
      response.write(piece)
      await told
      return void response.destroy()
    case 'refuse':
      for await (const chunk of request) {
        seen.received += (chunk as Buffer).length
        break
      }
      return void request.socket.destroy()
    default:
      return void response.end('ok')
  }
}

async function down(response: ServerResponse, bytes: number, told: Promise<void> | undefined): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
  for (let left = bytes; left > 0; left -= piece.length) {
    response.write(left < piece.length ? piece.subarray(0, left) : piece)
    if (told !== undefined && left === bytes) await told
    if (response.writableNeedDrain && !response.destroyed) await drained(response)
    if (response.destroyed) return
  }
  response.end()
}

async function events(
  response: ServerResponse,
  told: Promise<void>,
  next: () => Promise<void>,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  for (let count = 1; !response.destroyed; count++) {
    await told
    told = next()
    response.write(`data: ${count}\n\n`)
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.once('drain', done).once('close', done)
  })
}
