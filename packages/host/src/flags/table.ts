/**
 * How the text of a flag is read.
 * - `string`
 * - `bool` `--flag`, `--flag=false`; without a default it has three states
 * - `int` a whole number
 * - `port` 0 to 65535; empty is none
 * - `duration` Go syntax (`1m30s`), in milliseconds; a bare number counts in `bareUnit` if the flag has one
 * - `quantity` a Kubernetes quantity (`4Mi`), in bytes
 * - `list` comma-separated, and the flag may be repeated
 */
export type FlagType = 'string' | 'bool' | 'int' | 'port' | 'duration' | 'quantity' | 'list'

/** One flag: parser, environment, `--help` and documentation are all made of these rows. */
export interface Flag {
  /** Long name without dashes: `app-id`. */
  readonly name: string
  readonly type: FlagType
  readonly description: string
  /** As one would write it. Absent: `undefined`, which some flags tell apart from their zero value. */
  readonly default?: string
  /** One letter: `p` for `-p`. */
  readonly short?: string
  /** Environment variable that counts when the flag is not given. */
  readonly env?: string
  /** The values a string may have. */
  readonly choices?: readonly string[]
  /** Unit of a duration that is written as a bare number. */
  readonly bareUnit?: 'ms' | 's' | 'm' | 'h'
  /** The value must not be shown in errors. */
  readonly secret?: boolean
  /** What to use instead; giving the flag is a warning. */
  readonly deprecated?: string
  /** Works, and is not listed. */
  readonly hidden?: boolean
  /** Accepted, so that command lines stay as they are, and without effect until the named part is built. */
  readonly unbuilt?: string
}

type ValueOf<F extends Flag> = F['type'] extends 'bool'
  ? boolean
  : F['type'] extends 'int' | 'port' | 'duration' | 'quantity'
    ? number
    : F['type'] extends 'list'
      ? readonly string[]
      : F extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string

type Present<F extends Flag> = F extends { readonly default: string }
  ? true
  : F['type'] extends 'list'
    ? true
    : false

/** What a table's flags parse to, by name. Declare the table `as const satisfies readonly Flag[]`. */
export type FlagValues<T extends readonly Flag[]> = {
  readonly [F in T[number] as F['name']]: Present<F> extends true ? ValueOf<F> : ValueOf<F> | undefined
}

/** A command line that is wrong. The message has one line for each problem. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}
