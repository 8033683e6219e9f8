import { type ArgumentOptions, type Arguments, splitArguments } from './arguments.ts'
import { type Flag, FlagError, type FlagValues } from './table.ts'
import { readBool, readDuration, readQuantity } from './units.ts'

export interface ParsedFlags<T extends readonly Flag[]> {
  /** By flag name: given, from the environment, or the default. */
  readonly values: FlagValues<T>
  /** Names of the flags that were given on the command line. */
  readonly given: ReadonlySet<string>
  readonly rest: readonly string[]
  readonly afterDashes: readonly string[] | undefined
  readonly help: boolean
  /** Flags that were given and are deprecated, or without effect: one line each, to be logged. */
  readonly warnings: readonly string[]
}

type Value = string | number | boolean | readonly string[] | undefined

/**
 * Reads a command line by its table.
 * @param env where flags with `env` look; nothing else of it is read
 * @throws FlagError with all problems at once
 */
export function parseFlags<const T extends readonly Flag[]>(
  table: T,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  options: ArgumentOptions = {},
): ParsedFlags<T> {
  const split = splitArguments(table, argv, options)
  const problems = [...split.problems]
  const values: Record<string, Value> = {}
  for (const flag of table) {
    const source = find(flag, split, env)
    values[flag.name] = source === undefined ? absent(flag) : read(flag, source, problems)
  }
  // Somebody who asks for help gets it, whatever else is wrong.
  if (problems.length > 0 && !split.help) throw new FlagError(problems)
  return {
    values: values as FlagValues<T>,
    given: new Set(Object.keys(split.given)),
    rest: split.rest,
    afterDashes: split.afterDashes,
    help: split.help,
    warnings: warnings(table, split),
  }
}

interface Source {
  readonly text: string | readonly string[]
  /** How the reader of an error knows the value: `--flag=value`. */
  readonly name: string
}

function find(
  flag: Flag,
  split: Arguments,
  env: Readonly<Record<string, string | undefined>>,
): Source | undefined {
  const given = split.given[flag.name]
  if (given !== undefined) return { text: given, name: `--${flag.name}` }
  const fromEnv = flag.env === undefined ? undefined : env[flag.env]
  // An empty variable is as good as none: that is how deployments unset them.
  if (fromEnv !== undefined && fromEnv !== '') return { text: fromEnv, name: flag.env! }
  return flag.default === undefined ? undefined : { text: flag.default, name: `--${flag.name}` }
}

function absent(flag: Flag): Value {
  return flag.type === 'list' ? [] : undefined
}

function read(flag: Flag, source: Source, problems: string[]): Value {
  if (flag.type === 'list') return readList(source.text)
  const text = source.text as string
  const shown = flag.secret === true ? `${source.name} (not shown)` : `${source.name}=${text}`
  if (flag.type === 'string') {
    if (flag.choices === undefined || flag.choices.includes(text)) return text
    problems.push(`${shown} is not one of ${flag.choices.join(', ')}`)
    return undefined
  }
  if (flag.type === 'port' && text.trim() === '') return undefined
  const value = scalar(flag, text.trim())
  if (value === undefined) problems.push(`${shown} is not ${wanted[flag.type]}`)
  return value
}

/** What the value of a type must be, for errors. */
export const wanted: Readonly<Record<Exclude<Flag['type'], 'string' | 'list'>, string>> = {
  bool: 'true or false',
  int: 'a whole number',
  port: 'a port from 0 to 65535',
  duration: 'a duration such as 30s or 1m30s',
  quantity: 'a whole number of bytes such as 4Mi or 65536',
}

function scalar(flag: Flag, text: string): Value {
  switch (flag.type) {
    case 'bool':
      return readBool(text)
    case 'int':
      return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined
    case 'port':
      return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
    case 'duration':
      return readDuration(text, flag.bareUnit)
    case 'quantity':
      // Parts of a byte are a slip: whoever writes 4m means 4M.
      return /[num]$/.test(text) ? undefined : readQuantity(text)
    default:
      return text
  }
}

function readList(text: string | readonly string[]): readonly string[] {
  const texts = typeof text === 'string' ? [text] : text
  return texts
    .flatMap((each) => each.split(','))
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

function warnings(table: readonly Flag[], split: Arguments): string[] {
  const lines: string[] = []
  for (const flag of table) {
    if (split.given[flag.name] === undefined) continue
    if (flag.deprecated !== undefined) lines.push(`--${flag.name} is deprecated: ${flag.deprecated}`)
    if (flag.unbuilt !== undefined)
      lines.push(`--${flag.name} has no effect yet: ${flag.unbuilt} is not built`)
  }
  return lines
}
