import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { LoadResult } from '../harness/load.ts'

export interface GrpcLoadOptions {
  readonly port: number
  readonly path: string
  readonly message: Uint8Array
  readonly calls: number
  readonly connections: number
  /** Calls under way on each connection. */
  readonly streams: number
  /** Any message is an answer, not just the echo. */
  readonly anyAnswer?: boolean
  /** Sent with every call: names and values in turn. */
  readonly metadata?: readonly string[]
}

/**
 * Unary calls, of an echo unless told otherwise, each with its own `traceparent`. The frames are made once and patched, so that the load
 * costs a fraction of any server; h2load repeats all header fields, which flatters a server that remembers them.
 */
export async function grpcLoad(options: GrpcLoadOptions): Promise<LoadResult> {
  const latencies = new Float64Array(options.calls)
  const run: Run = { ...options, next: 0, latencies, done: 0 }
  const connections = Array.from({ length: options.connections }, () => new Connection(run))
  await Promise.all(connections.map((connection) => connection.open()))
  const startedAt = performance.now()
  try {
    await Promise.all(connections.map((connection) => connection.calls()))
  } finally {
    for (const connection of connections) connection.close()
  }
  const elapsed = performance.now() - startedAt
  latencies.sort()
  return {
    requestsPerSecond: (options.calls / elapsed) * 1000,
    p50Ms: latencies[Math.floor(options.calls * 0.5)]!,
    p99Ms: latencies[Math.floor(options.calls * 0.99)]!,
  }
}

interface Run extends GrpcLoadOptions {
  next: number
  done: number
  readonly latencies: Float64Array
}

const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const maxWindow = 2 ** 31 - 1

class Connection {
  readonly #run: Run
  readonly #socket: Socket
  readonly #call: Buffer
  readonly #idAt: readonly [headers: number, data: number]
  readonly #traceAt: number
  readonly #sentAt = new Map<number, number>()
  #nextId = 3
  #pending: Buffer | undefined
  #opened = false
  #end!: { resolve(): void; reject(error: Error): void }
  readonly #ended = new Promise<void>((resolve, reject) => (this.#end = { resolve, reject }))

  constructor(run: Run) {
    this.#run = run
    this.#socket = connect({ host: '127.0.0.1', port: run.port, noDelay: true })
    this.#ended.catch(() => {})
    const trace = traceOf(0)
    const block = Buffer.concat([indexedFields(fieldsOf(run).length), literal('traceparent', trace)])
    const body = message(run.message)
    const headers = frame(HEADERS, 4, 1, block)
    this.#call = Buffer.concat([headers, frame(DATA, 1, 1, body)])
    this.#idAt = [5, headers.length + 5]
    this.#traceAt = headers.length - trace.length
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#end.reject(error))
    this.#socket.on('close', () => this.#end.reject(new Error('the server closed the connection')))
  }

  /** Connects and makes the first call, which fills the server's table of header fields. */
  async open(): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
    const window = Buffer.alloc(4)
    window.writeUInt32BE(maxWindow - 65535)
    const { message: bytes } = this.#run
    this.#socket.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(SETTINGS, 0, 0, Buffer.alloc(0)),
        frame(8, 0, 0, window),
        frame(HEADERS, 4, 1, firstBlock(fieldsOf(this.#run))),
        frame(DATA, 1, 1, message(bytes)),
      ]),
    )
    await Promise.race([
      this.#ended,
      new Promise<void>((resolve) => {
        this.#onFirst = resolve
      }),
    ])
    this.#opened = true
  }
  #onFirst: (() => void) | undefined

  async calls(): Promise<void> {
    const calls: Buffer[] = []
    for (let index = 0; index < this.#run.streams; index++) this.#send(calls)
    if (calls.length === 0) return
    this.#socket.write(Buffer.concat(calls))
    await this.#ended
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #send(out: Buffer[]): void {
    const run = this.#run
    if (run.next >= run.calls) return
    const id = this.#nextId
    this.#nextId += 2
    const call = Buffer.from(this.#call)
    call.writeUInt32BE(id, this.#idAt[0])
    call.writeUInt32BE(id, this.#idAt[1])
    call.write(traceOf(++run.next), this.#traceAt, 'latin1')
    this.#sentAt.set(id, performance.now())
    out.push(call)
  }

  #take(chunk: Buffer): void {
    const bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk])
    const out: Buffer[] = []
    const now = performance.now()
    let at = 0
    while (at + 9 <= bytes.length) {
      const length = bytes.readUIntBE(at, 3)
      if (at + 9 + length > bytes.length) break
      this.#frame(bytes[at + 3]!, bytes[at + 4]!, bytes.readUInt32BE(at + 5), length, bytes, at + 9, out, now)
      at += 9 + length
    }
    this.#pending = at === bytes.length ? undefined : bytes.subarray(at)
    if (out.length > 0) this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out))
    if (this.#opened && this.#sentAt.size === 0 && this.#run.next >= this.#run.calls) this.#end.resolve()
  }

  #frame(
    type: number,
    flags: number,
    id: number,
    length: number,
    bytes: Buffer,
    at: number,
    out: Buffer[],
    now: number,
  ): void {
    if (type === SETTINGS && flags === 0) out.push(frame(SETTINGS, 1, 0, Buffer.alloc(0)))
    else if (type === PING && flags === 0) out.push(frame(PING, 1, 0, bytes.subarray(at, at + length)))
    else if (type === RST_STREAM || type === GOAWAY)
      this.#end.reject(
        new Error(`the server sent a frame of type ${type} with ${bytes.toString('hex', at, at + length)}`),
      )
    else if (type === HEADERS && (flags & 1) === 1) {
      // A failure has no message: what is checked of an answer is that the echo came.
      if (this.#echoed.delete(id)) this.#finished(id, out, now)
      else this.#end.reject(new Error('a call failed'))
    } else if (type === DATA && (this.#run.anyAnswer === true || length === this.#run.message.length + 5))
      this.#echoed.add(id)
  }
  readonly #echoed = new Set<number>()

  #finished(id: number, out: Buffer[], now: number): void {
    if (id === 1) return this.#onFirst?.()
    this.#run.latencies[this.#run.done++] = now - this.#sentAt.get(id)!
    this.#sentAt.delete(id)
    this.#send(out)
  }
}

/** The fields that every call shares: literal with indexing the first time, then from the dynamic table (RFC 7541). */
function fieldsOf({ path, port, metadata = [] }: GrpcLoadOptions): readonly (readonly [string, string])[] {
  return [
    [':path', path],
    [':authority', `127.0.0.1:${port}`],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ['user-agent', 'bench'],
    ['grpc-accept-encoding', 'gzip'],
    ...Array.from(
      { length: metadata.length / 2 },
      (_, index) => [metadata[2 * index]!, metadata[2 * index + 1]!] as const,
    ),
  ]
}

/** `:method POST` and `:scheme http`. */
const fixed = [0x83, 0x86]

function indexedFields(count: number): Buffer {
  // The newest entry is the first, and pseudo-fields must come before others.
  return Buffer.from([...fixed, ...Array.from({ length: count }, (_, index) => 0x80 | (61 + count - index))])
}

function firstBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat([
    Buffer.from(fixed),
    ...fields.map(([name, value]) => Buffer.concat([Buffer.from([0x40]), string(name), string(value)])),
    literal('traceparent', traceOf(0)),
  ])
}

/** Not indexed: it never comes again. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), string(name), string(value)])
}

function string(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])
}

function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

function message(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

export function traceOf(index: number): string {
  const id = index.toString(16).padStart(16, '0')
  return `00-0af7651916cd43dd${id}-${id}-01`
}
