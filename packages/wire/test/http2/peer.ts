import type { Socket } from 'node:net'
import { preface } from '../../src/http2/frames/constants.ts'
import { FrameReader } from '../../src/http2/frames/reader.ts'
import { HpackDecoder } from '../../src/http2/hpack/decoder.ts'

export interface Frame {
  readonly type: string
  readonly flags: number
  readonly stream: number
  /** Of RST_STREAM and GOAWAY. */
  readonly code: number
  readonly payload: Buffer
}

const types = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
]

export const code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const

/** The one end of a connection, without any rules: it sends whatever it is told to. */
export class Peer {
  readonly socket: Socket
  readonly frames: Frame[] = []
  ended = false
  private readonly decoder = new HpackDecoder()
  private wake = (): void => {}

  /** `isServer`: it is the end that reads a preface. */
  constructor(socket: Socket, isServer: boolean) {
    this.socket = socket
    let data: { stream: number; parts: Buffer[] } = { stream: 0, parts: [] }
    const add = (type: number, flags: number, stream: number, payload: Buffer): void => {
      const at = type === 7 ? 4 : 0
      const number = (type === 3 || type === 7) && payload.length >= at + 4 ? payload.readUInt32BE(at) : -1
      this.frames.push({ type: types[type]!, flags, stream, code: number, payload })
    }
    const reader = new FrameReader(
      {
        frame: (type, flags, stream, bytes, start, end) =>
          add(type, flags, stream, Buffer.from(bytes.subarray(start, end))),
        dataBegin: (stream) => (data = { stream, parts: [] }),
        dataPiece: (piece) => data.parts.push(piece),
        dataEnd: (flags) => add(0, flags, data.stream, Buffer.concat(data.parts)),
      },
      isServer,
    )
    this.socket.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      this.wake()
    })
    const end = (): void => {
      this.ended = true
      this.wake()
    }
    this.socket.on('end', end)
    this.socket.on('close', end)
    this.socket.on('error', end)
  }

  /** Preface and SETTINGS of a client; `settings`: identifiers and values. */
  begin(...settings: number[]): this {
    this.socket.write(preface)
    return this.settings(...settings)
  }

  settings(...settings: number[]): this {
    const payload = Buffer.alloc(settings.length * 3)
    for (let index = 0; index < settings.length; index += 2) {
      payload.writeUInt16BE(settings[index]!, index * 3)
      payload.writeUInt32BE(settings[index + 1]!, index * 3 + 2)
    }
    return this.send('SETTINGS', 0, 0, payload)
  }

  send(type: string, flags: number, stream: number, payload: Uint8Array | string = ''): this {
    this.socket.write(frame(type, flags, stream, payload))
    return this
  }

  /** GET on a new stream; END_STREAM unless `open`. */
  get(stream: number, open = false): this {
    return this.send('HEADERS', open ? 4 : 5, stream, block(requestFields))
  }

  /** The first frame that matches; rejects when the connection ends before. */
  async until(what: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(what)
      if (found !== undefined) return found
      if (this.ended) throw new Error(`the connection ended; received: ${this.list()}`)
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  type(type: string): Promise<Frame> {
    return this.until((found) => found.type === type)
  }

  /** Waits for the end of the connection. */
  async end(): Promise<Frame[]> {
    while (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve))
    return this.frames
  }

  /** The error code of the GOAWAY that the connection ends with; undefined when there was none. */
  async goaway(): Promise<number | undefined> {
    await this.end()
    return this.frames.findLast((found) => found.type === 'GOAWAY')?.code
  }

  /** Fields of a HEADERS frame. To be called once for each, in order. */
  fields(from: Frame): string[] {
    const found: string[] = []
    this.decoder.decode(from.payload, 0, from.payload.length, {
      field: (name, value) => found.push(`${name}: ${value}`),
    })
    return found
  }

  list(): string {
    return this.frames.map((found) => `${found.type}/${found.stream}/${found.code}`).join(' ')
  }
}

export function frame(
  type: string,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
): Buffer {
  const bytes = Buffer.from(payload as Uint8Array)
  const head = Buffer.alloc(9)
  head.writeUIntBE(bytes.length, 0, 3)
  head[3] = types.includes(type) ? types.indexOf(type) : 0xfa
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, bytes])
}

export const requestFields: readonly [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'test'],
]

/** A header block of plain literals that leave no trace in any table. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  )
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length: number[] = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
