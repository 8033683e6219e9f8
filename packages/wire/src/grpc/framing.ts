import { promisify } from 'node:util'
import { ChunkList } from '../chunk-list.ts'
import { GrpcError, grpcStatus } from './status.ts'

/** A message as it is on the wire: its bytes, and whether they are compressed. */
export interface Frame {
  readonly compressed: boolean
  readonly data: Uint8Array
}

/** Flag and length in front of each message. */
export const frameHeadBytes = 5

/** A frame in one piece: flag, length, message. */
export function encodeFrame(message: Uint8Array, compressed = false): Uint8Array {
  const frame = new Uint8Array(frameHeadBytes + message.length)
  frame[0] = compressed ? 1 : 0
  const { length } = message
  frame[1] = length >>> 24
  frame[2] = length >>> 16
  frame[3] = length >>> 8
  frame[4] = length
  frame.set(message, frameHeadBytes)
  return frame
}

/**
 * Cuts a body into frames, however it was split on its way. A message that fits one chunk is not copied.
 * @throws GrpcError RESOURCE_EXHAUSTED for a message over the limit, INTERNAL for a body that ends within one
 */
export async function* readFrames(
  body: AsyncIterable<Uint8Array>,
  maxMessageBytes: number,
): AsyncGenerator<Frame, void, undefined> {
  const pending = new ChunkList()
  /** Bytes without which there is no next frame: large messages are put together once, not chunk by chunk. */
  let needed = frameHeadBytes
  for await (const chunk of body) {
    pending.push(chunk)
    if (pending.size < needed) continue
    let rest = pending.take()
    for (;;) {
      const length = lengthOf(rest, maxMessageBytes)
      needed = frameHeadBytes + (length ?? 0)
      if (length === undefined || rest.length < needed) break
      yield { compressed: rest[0] === 1, data: rest.subarray(frameHeadBytes, needed) }
      rest = rest.subarray(needed)
    }
    pending.push(rest)
  }
  if (pending.size > 0)
    throw new GrpcError(grpcStatus.INTERNAL, 'the stream ended in the middle of a message')
}

/** The only message of a body that was read whole. */
export function onlyFrame(body: Uint8Array, maxMessageBytes: number): Frame {
  const length = lengthOf(body, maxMessageBytes)
  if (length === undefined || body.length < frameHeadBytes + length) {
    const text = body.length === 0 ? 'there is no message' : 'the stream ended in the middle of a message'
    throw new GrpcError(grpcStatus.INTERNAL, text)
  }
  if (body.length !== frameHeadBytes + length)
    throw new GrpcError(grpcStatus.INTERNAL, 'there is more than one message')
  return { compressed: body[0] === 1, data: body.subarray(frameHeadBytes) }
}

/** The length of the message that begins here, once its head has arrived. */
function lengthOf(bytes: Uint8Array, maxMessageBytes: number): number | undefined {
  if (bytes.length < frameHeadBytes) return undefined
  const flag = bytes[0]!
  if (flag > 1) throw new GrpcError(grpcStatus.INTERNAL, `a message begins with ${flag}, which means nothing`)
  const length = ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0
  if (length > maxMessageBytes) {
    throw new GrpcError(
      grpcStatus.RESOURCE_EXHAUSTED,
      `a message of ${length} bytes is larger than the limit of ${maxMessageBytes}`,
    )
  }
  return length
}

/** The message of a frame, unpacked if it is compressed. The limit holds for what comes out. */
export async function messageOf(
  frame: Frame,
  encoding: string | undefined,
  maxMessageBytes: number,
): Promise<Uint8Array> {
  if (!frame.compressed) return frame.data
  if (encoding === undefined || encoding === 'identity') {
    throw new GrpcError(grpcStatus.INTERNAL, 'a message is compressed, but nothing says how')
  }
  if (encoding !== 'gzip') {
    throw new GrpcError(
      grpcStatus.UNIMPLEMENTED,
      `messages compressed as ${encoding} cannot be read; gzip can`,
    )
  }
  const zlib = await import('node:zlib')
  try {
    return await promisify(zlib.gunzip)(frame.data, { maxOutputLength: maxMessageBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new GrpcError(
        grpcStatus.RESOURCE_EXHAUSTED,
        `a message is larger than the limit of ${maxMessageBytes} bytes once it is unpacked`,
        { cause },
      )
    }
    throw new GrpcError(grpcStatus.INTERNAL, 'a compressed message cannot be unpacked', { cause })
  }
}

/** Compresses a message for the wire. */
export async function gzip(message: Uint8Array): Promise<Uint8Array> {
  const zlib = await import('node:zlib')
  return promisify(zlib.gzip)(message)
}
