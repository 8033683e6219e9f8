/** Why the runtime does not start: every reason at once, one line each, ready to be shown. Never holds a secret. */
export class StartupError extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[], options: { cause?: unknown } = {}) {
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StartupError'
    this.lines = lines
  }
}
