import type { Codec } from '@outrigger/wire/grpc'

/** An HTTP message as it travels between the hops in one gRPC message. */
export interface HttpMessage {
  /** Method and target, or the status. */
  readonly start: readonly string[]
  readonly fields: readonly string[]
  readonly body: Uint8Array
}

/** The length of the head, the head in lines, the body: as little as a codec can cost. */
export const httpMessage: Codec<HttpMessage> = {
  encode({ start, fields, body }) {
    const head = `${start.join('\n')}\n\n${fields.join('\n')}`
    const bytes = Buffer.allocUnsafe(4 + head.length + body.length)
    bytes.writeUInt32BE(head.length)
    bytes.write(head, 4, 'latin1')
    bytes.set(body, 4 + head.length)
    return bytes
  },
  decode(bytes) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const end = 4 + buffer.readUInt32BE()
    const [start, fields] = buffer.toString('latin1', 4, end).split('\n\n') as [string, string]
    return {
      start: start.split('\n'),
      fields: fields === '' ? [] : fields.split('\n'),
      body: buffer.subarray(end),
    }
  },
}

/** The method that carries a whole HTTP exchange. */
export const exchange = {
  path: '/bench.Hop/Exchange',
  kind: 'unary' as const,
  input: httpMessage,
  output: httpMessage,
}
