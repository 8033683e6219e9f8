import type { BindingData } from '@outrigger/spec'

/** A smaller body is handed over whole. */
const wholeBytes = 64 * 1024

export interface BodyOptions {
  /** 0 or less is no limit. */
  readonly maxBytes: number
  /** Called when something was cut off. */
  readonly onCut: () => void
  /** Called once when no more will be read, whatever the reason. */
  readonly onEnd: () => void
  /** Gives a failure of the source its meaning. */
  readonly toError: (error: unknown) => Error
}

/** Reads a body: a small one whole, a large one as a stream, neither beyond the limit. */
export async function readBody(
  source: AsyncIterable<Uint8Array>,
  options: BodyOptions,
): Promise<BindingData> {
  const chunks = limited(source, options)
  const read: Uint8Array[] = []
  for (let bytes = 0; bytes <= wholeBytes;) {
    const { value, done } = await chunks.next()
    if (done === true) return read.length === 1 ? read[0]! : Buffer.concat(read)
    read.push(value)
    bytes += value.byteLength
  }
  return continued(read, chunks)
}

async function* continued(
  read: Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* read
    yield* rest
  } finally {
    await rest.return()
  }
}

async function* limited(
  source: AsyncIterable<Uint8Array>,
  options: BodyOptions,
): AsyncGenerator<Uint8Array, void> {
  let left = options.maxBytes > 0 ? options.maxBytes : Infinity
  try {
    for await (const chunk of source) {
      if (chunk.byteLength > left) {
        options.onCut()
        if (left > 0) yield chunk.subarray(0, left)
        return
      }
      left -= chunk.byteLength
      yield chunk
    }
  } catch (error) {
    throw options.toError(error)
  } finally {
    options.onEnd()
  }
}
