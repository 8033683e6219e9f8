export interface WaitOptions {
  /** After this it throws. It only ends a test that has failed already: be generous. Default 20 s. */
  readonly deadlineMs?: number
  /** Pause between two looks. Default 5 ms. */
  readonly everyMs?: number
  /** What is waited for, for the error. */
  readonly what?: string
}

/**
 * Waits, in real time, until `condition` gives something truthy, and returns that. While it throws it does not
 * hold; what it threw last becomes the cause of the error.
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
  const { deadlineMs = 20_000, everyMs = 5, what = 'the condition' } = options
  const end = performance.now() + deadlineMs
  for (;;) {
    let cause: unknown
    try {
      const value = await condition()
      if (value) return value
    } catch (error) {
      cause = error
    }
    if (performance.now() > end) throw new Error(`${what} did not hold within ${deadlineMs} ms`, { cause })
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
