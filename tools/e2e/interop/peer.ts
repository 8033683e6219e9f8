/** The interoperability service: what every peer offers and calls, and its messages. */
export const service = 'outrigger.interop.v1.Echo'
/** Without a colon: grpc-js leaves some of what others escape as it is. */
export const failMessage = 'boom ü 100%'
export const failDetail = 'detail'
export const maxMessageBytes = 4 * 1024 * 1024

export type Method = 'Unary' | 'ServerStream' | 'ClientStream' | 'Bidi'
export const methods: readonly Method[] = ['Unary', 'ServerStream', 'ClientStream', 'Bidi']

export function pathOf(method: string): string {
  return `/${service}/${method}`
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string | Uint8Array>> | undefined
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly gzip?: boolean | undefined
}

/** How a call ended. */
export interface Outcome {
  readonly code: number
  readonly message: string
  /** The serialised google.rpc.Status. */
  readonly details?: Uint8Array | undefined
  /** `x-echo` of the initial metadata. */
  readonly initial?: string | undefined
  /** `x-echo-bin` of the trailers. */
  readonly trailer?: Uint8Array | undefined
}

/** A call under way. Reading its messages ends without throwing; what went wrong is in the outcome. */
export interface Call {
  readonly messages: AsyncIterable<Uint8Array>
  readonly outcome: Promise<Outcome>
}

/** A client of the service. */
export interface Caller {
  /** `Nothing` is a method that no server has. */
  call(method: Method | 'Nothing', requests: AsyncIterable<Uint8Array>, options?: CallOptions): Call
  close(): void
}

/** A certificate for `localhost` that vouches for itself: PEM, and the files that hold it. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

/** Where a server is, and how to trust it. */
export interface Address {
  readonly port: number
  readonly certificate: Certificate | undefined
}

export interface Server {
  readonly port: number
  close(): Promise<void>
}

/** A google.protobuf.BytesValue. */
export function encodeBytes(value: Uint8Array): Buffer {
  return value.length === 0 ? Buffer.alloc(0) : field(1, value)
}

export function decodeBytes(message: Uint8Array): Uint8Array {
  let value: Uint8Array = message.subarray(0, 0)
  for (let at = 0; at < message.length;) {
    if (message[at] !== 0x0a) throw new Error(`a BytesValue has no field ${message[at]}`)
    let length = 0
    let shift = 0
    for (at++; ; at++) {
      const byte = message[at]
      if (byte === undefined || shift > 28) throw new Error('a BytesValue ends within a length')
      length |= (byte & 0x7f) << shift
      shift += 7
      if (byte < 0x80) break
    }
    value = message.subarray(at + 1, at + 1 + length)
    if (value.length !== length) throw new Error('a BytesValue ends within its value')
    at += 1 + length
  }
  return value
}

/** The google.rpc.Status of an asked-for failure. */
export function statusBytes(code: number, message = failMessage, detail = failDetail): Buffer {
  const url = field(1, Buffer.from('type.googleapis.com/google.protobuf.BytesValue'))
  const any = Buffer.concat([url, field(2, field(1, Buffer.from(detail)))])
  return Buffer.concat([Buffer.of(0x08, code), field(2, Buffer.from(message)), field(3, any)])
}

function field(number: number, value: Uint8Array): Buffer {
  const head = [(number << 3) | 2]
  let { length } = value
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80)
  head.push(length)
  return Buffer.concat([Buffer.from(head), value])
}
