/** Passes data on and keeps what it fails with, which is then told as it is, and not as a call that broke off. */
export function remembering(data: AsyncIterable<Uint8Array>): {
  readonly data: AsyncIterable<Uint8Array>
  failure(): unknown
} {
  let failure: unknown
  async function* pass(): AsyncGenerator<Uint8Array> {
    try {
      yield* data
    } catch (error) {
      failure = error
      throw error
    }
  }
  return { data: pass(), failure: () => failure }
}
