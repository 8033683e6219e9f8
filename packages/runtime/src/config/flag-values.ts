import { type Flag, flags } from './flags.ts'
import { readBool, readDuration, readQuantity } from './units.ts'

/** What was given, by flag name (`app-id`). What is absent was not given: defaults are added here, not by the parser. */
export type FlagValues = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

const byName = new Map(flags.map((flag) => [flag.name, flag]))

/** Reads flags by the table, and collects what is wrong instead of stopping at the first. */
export class FlagReader {
  readonly errors: string[] = []
  readonly #values: FlagValues

  constructor(values: FlagValues) {
    this.#values = values
    for (const name of Object.keys(values)) {
      if (!byName.has(name)) this.errors.push(`--${name} is not a flag of daprd: see --help`)
    }
  }

  given(name: string): boolean {
    return this.#values[name] !== undefined
  }

  string(name: string): string | undefined {
    const value = this.#raw(name)
    return value === undefined || value === '' ? undefined : String(value)
  }

  /** Commas separate, and the flag may be repeated. */
  list(name: string): readonly string[] {
    const value = this.#raw(name)
    if (value === undefined) return []
    const texts = typeof value === 'object' ? value : [String(value)]
    return texts
      .flatMap((text) => text.split(','))
      .map((text) => text.trim())
      .filter((text) => text !== '')
  }

  bool(name: string): boolean | undefined {
    const value = this.#raw(name)
    if (value === undefined || typeof value === 'boolean') return value
    return this.#read(name, value, readBool, 'true or false')
  }

  int(name: string): number | undefined {
    return this.#read(
      name,
      this.#raw(name),
      (text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined),
      'a whole number',
    )
  }

  /** `0` is any free port; an empty text is none. */
  port(name: string): number | undefined {
    const read = (text: string) =>
      /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
    return this.#read(name, this.string(name), read, 'a port from 0 to 65535')
  }

  /** @returns milliseconds */
  duration(name: string): number | undefined {
    return this.#read(name, this.#raw(name), readDuration, 'a duration such as 30s or 1m30s')
  }

  /** @returns bytes */
  quantity(name: string): number | undefined {
    return this.#read(name, this.#raw(name), readQuantity, 'a whole number of bytes such as 4Mi or 65536')
  }

  #raw(name: string): FlagValues[string] {
    const flag = byName.get(name) as Flag
    return this.#values[name] ?? flag.default
  }

  #read<T>(
    name: string,
    value: FlagValues[string],
    read: (text: string) => T | undefined,
    wanted: string,
  ): T | undefined {
    if (value === undefined) return undefined
    const result = read(String(value).trim())
    if (result === undefined) this.errors.push(`--${name}=${String(value)} is not ${wanted}`)
    return result
  }
}
