import { nearest } from './nearest.ts'
import type { Flag } from './table.ts'

/** What a command line gives, still as text. */
export interface Arguments {
  /** By flag name; only what was given. A flag given more than once has its last value, a list all of them. */
  readonly given: Readonly<Record<string, string | readonly string[]>>
  /** What is not a flag, in order. */
  readonly rest: readonly string[]
  /** What followed `--`; `undefined` without it. */
  readonly afterDashes: readonly string[] | undefined
  /** `--help` or `-h` was there. */
  readonly help: boolean
  /** What is wrong, one line each. */
  readonly problems: readonly string[]
}

export interface ArgumentOptions {
  /**
   * What to do with a word that is no flag: report it (default), collect it, or take it and all that follows
   * as `rest` (for `outrigger run [flags] node app.js`).
   */
  readonly words?: 'refuse' | 'collect' | 'stop'
}

/**
 * Splits a command line by its table: `--flag=value`, `--flag value`, one dash as good as two, a bare boolean is
 * true. `--` ends the flags.
 */
export function splitArguments(
  table: readonly Flag[],
  argv: readonly string[],
  options: ArgumentOptions = {},
): Arguments {
  return new Splitter(table, options.words ?? 'refuse').split(argv)
}

class Splitter {
  private readonly flags = new Map<string, Flag>()
  private readonly words: 'refuse' | 'collect' | 'stop'
  private readonly given = new Map<string, string | string[]>()
  private readonly rest: string[] = []
  private readonly problems: string[] = []
  private afterDashes: readonly string[] | undefined
  private help = false

  constructor(table: readonly Flag[], words: 'refuse' | 'collect' | 'stop') {
    this.words = words
    for (const flag of table) {
      this.flags.set(flag.name, flag)
      if (flag.short !== undefined) this.flags.set(flag.short, flag)
    }
  }

  split(argv: readonly string[]): Arguments {
    for (let index = 0; index < argv.length; index++) {
      const word = argv[index]!
      if (word === '--') {
        this.afterDashes = argv.slice(index + 1)
        break
      }
      const match = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(word)
      if (match !== null) {
        if (this.flag(match[1]!, match[2], argv[index + 1])) index++
      } else if (this.words === 'stop') {
        this.rest.push(...argv.slice(index))
        break
      } else this.word(word)
    }
    const { rest, afterDashes, help, problems } = this
    return { given: Object.fromEntries(this.given), rest, afterDashes, help, problems }
  }

  /** @returns whether the next word was taken as the value */
  private flag(name: string, value: string | undefined, next: string | undefined): boolean {
    const flag = this.flags.get(name)
    if (flag === undefined) {
      if (name === 'help' || name === 'h') this.help = true
      else this.problems.push(this.unknown(name))
      return false
    }
    if (value !== undefined || flag.type === 'bool') {
      this.add(flag, value ?? 'true')
      return false
    }
    if (next === undefined || this.isFlag(next)) {
      const got = next === undefined ? '' : `, and ${next} is a flag`
      this.problems.push(`--${flag.name} needs a value: --${flag.name}=<${flag.type}>${got}`)
      return false
    }
    this.add(flag, next)
    return true
  }

  private add(flag: Flag, value: string): void {
    if (flag.type !== 'list') this.given.set(flag.name, value)
    else this.given.set(flag.name, [...((this.given.get(flag.name) as string[] | undefined) ?? []), value])
  }

  /** A known flag is never the value of another one; `-1` and unknown words can be. */
  private isFlag(word: string): boolean {
    const name = /^--([^=]+)/.exec(word)?.[1]
    return word === '--' || (name !== undefined && this.flags.has(name))
  }

  private word(word: string): void {
    this.rest.push(word)
    if (this.words === 'collect') return
    const hint = /^(true|false)$/i.test(word) ? ': a boolean is written --flag=false' : ''
    this.problems.push(`${JSON.stringify(word)} is not a flag${hint}`)
  }

  private unknown(name: string): string {
    const names = [...this.flags.values()].filter((flag) => flag.hidden !== true).map((flag) => flag.name)
    const close = nearest(name, names)
    return `--${name} is not known${close === undefined ? '' : `; did you mean --${close}?`}`
  }
}
