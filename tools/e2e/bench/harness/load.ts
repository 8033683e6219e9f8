import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  readonly port: number
  /** The whole request, head and body, of request number `index`. */
  readonly request: (index: number) => string
  readonly requests: number
  readonly connections: number
  /** Status that every answer must have. */
  readonly expect: number
}

export interface LoadResult {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Sends a bounded number of requests over kept connections, one at a time on each, and checks every status. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = []
  let next = 0
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const connection = new Connection(options.port)
      await connection.open()
      try {
        while (next < options.requests) {
          const sentAt = performance.now()
          const status = await connection.exchange(options.request(next++))
          if (status !== options.expect) throw new Error(`answered ${status} instead of ${options.expect}`)
          latencies.push(performance.now() - sentAt)
        }
      } finally {
        connection.close()
      }
    }),
  )
  const elapsed = performance.now() - startedAt
  latencies.sort((a, b) => a - b)
  return {
    requestsPerSecond: (latencies.length / elapsed) * 1000,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)]!,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)]!,
  }
}

/** Reads no more of HTTP than is needed to know where an answer ends: a client that costs little. */
export class Connection {
  readonly #socket: Socket
  #buffered = ''
  #waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (chunk: string) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#waiting?.reject(error))
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')))
  }

  async open(): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  exchange(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(request, 'latin1')
    })
  }

  #take(chunk: string): void {
    this.#buffered = this.#buffered === '' ? chunk : this.#buffered + chunk
    const end = this.#buffered.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#buffered.slice(0, end)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    const total = end + 4 + (length === null ? 0 : Number(length[1]))
    if (this.#buffered.length < total) return
    this.#buffered = this.#buffered.slice(total)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(Number(head.slice(9, 12)))
  }
}
