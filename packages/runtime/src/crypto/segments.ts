/** A part of a stream. Its bytes are good until the next one is asked for. */
export interface Segment {
  readonly data: Uint8Array
  readonly last: boolean
}

/**
 * Cuts a stream of any chunks into segments of just `size` bytes; the last one may be shorter. A stream of no bytes has no
 * segment. Holds one segment at most, and reads on only when the next one is asked for.
 */
export async function* segments(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Segment, void> {
  let held: Uint8Array | undefined
  let filled = 0
  for await (const chunk of source) {
    let at = 0
    while (at < chunk.length) {
      // More has come: what is full is not the last one.
      if (held !== undefined && filled === size) {
        yield { data: held, last: false }
        filled = 0
      }
      if (filled === 0) {
        for (; chunk.length - at > size; at += size)
          yield { data: chunk.subarray(at, at + size), last: false }
      }
      held ??= new Uint8Array(size)
      const part = chunk.subarray(at, at + size - filled)
      held.set(part, filled)
      filled += part.length
      at += part.length
    }
  }
  if (held !== undefined && filled > 0) yield { data: held.subarray(0, filled), last: true }
}
