import { parseBool, parseDuration } from '@outrigger/kit'
import { ComponentError } from '@outrigger/spec'

/** Reads an object of the configuration: names without regard to case, as Dapr reads them. Errors name the field. */
export class Reader {
  readonly #path: string
  readonly #values = new Map<string, unknown>()

  /** @throws `INVALID_METADATA` when the value is there and no object */
  constructor(value: unknown, path: string) {
    this.#path = path
    if (value === undefined || value === null) return
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid(path, 'must be an object')
    for (const [name, each] of Object.entries(value)) {
      if (each !== null && each !== '') this.#values.set(name.toLowerCase(), each)
    }
  }

  get empty(): boolean {
    return this.#values.size === 0
  }

  text(name: string): string | undefined {
    return this.#read(name, 'must be a text', (value) =>
      typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined,
    )
  }

  bool(name: string): boolean | undefined {
    return this.#read(name, 'must be true or false', (value) =>
      typeof value === 'boolean' ? value : typeof value === 'string' ? parseBool(value) : undefined,
    )
  }

  /** A duration such as `10s`; a number counts nanoseconds, as Go has them in JSON. @returns milliseconds */
  durationMs(name: string): number | undefined {
    return this.#read(name, 'must be a duration such as 10s', (value) => {
      const ms =
        typeof value === 'number' ? value / 1e6 : typeof value === 'string' ? parseDuration(value) : undefined
      return ms === undefined || ms < 0 ? undefined : ms
    })
  }

  object(name: string): Reader {
    return new Reader(this.#values.get(name.toLowerCase()), `${this.#path}.${name}`)
  }

  texts(name: string): Record<string, string> {
    return readTexts(this.#values.get(name.toLowerCase()), `${this.#path}.${name}`)
  }

  #read<T>(name: string, problem: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#values.get(name.toLowerCase())
    if (value === undefined) return undefined
    const result = read(value)
    // What was written may be a secret, so it is not repeated.
    if (result === undefined) throw invalid(`${this.#path}.${name}`, problem)
    return result
  }
}

export function invalid(path: string, problem: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `${path} ${problem}`)
}

/** Texts by name; numbers and truth values are texts as well, as they come out of YAML. */
export function readTexts(value: unknown, path: string): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(path, 'must be an object of texts')
  return Object.fromEntries(
    Object.entries(value).map(([name, each]: [string, unknown]) => {
      if (!['string', 'number', 'boolean'].includes(typeof each))
        throw invalid(`${path}.${name}`, 'must be a text')
      return [name, String(each)]
    }),
  )
}

export function readList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid(path, 'must be a list')
  return value
}

export function readRecord(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'must be an object')
  return value as Record<string, unknown>
}
