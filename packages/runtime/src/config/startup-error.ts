/** Why the runtime does not start: every reason at once, one line each, ready to be shown. Never holds a secret. */
export class StartupError extends Error {
  readonly lines: readonly string[]
  /** Of the port that is in use, where that is the reason; without dashes. */
  readonly portFlag: string | undefined

  constructor(lines: readonly string[], options: { cause?: unknown; portFlag?: string | undefined } = {}) {
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StartupError'
    this.lines = lines
    this.portFlag = options.portFlag
  }
}
