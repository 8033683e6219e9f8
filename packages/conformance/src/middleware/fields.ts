import type { MiddlewareFields } from '@outrigger/spec'

export type FieldsInput = Readonly<Record<string, string>> | readonly (readonly [string, string])[]

/** Header fields as a list. Refuses names that are not lower-case, which others would not find. */
export class TestFields implements MiddlewareFields {
  #list: (readonly [name: string, value: string])[]

  constructor(input: FieldsInput = {}) {
    this.#list = Array.isArray(input)
      ? [...(input as readonly (readonly [string, string])[])]
      : Object.entries(input)
  }

  get(name: string): string | undefined {
    return this.getAll(name)[0]
  }

  getAll(name: string): readonly string[] {
    return this.#list.filter(([own]) => own === lower(name)).map(([, value]) => value)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  set(name: string, value: string): void {
    this.delete(name)
    this.append(name, value)
  }

  append(name: string, value: string): void {
    this.#list.push([lower(name), value])
  }

  delete(name: string): void {
    this.#list = this.#list.filter(([own]) => own !== lower(name))
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    return this.#list[Symbol.iterator]()
  }

  /** As they are now. */
  entries(): readonly (readonly [string, string])[] {
    return [...this.#list]
  }
}

function lower(name: string): string {
  if (name !== name.toLowerCase()) throw new Error(`the name of a field must be lower-case, got "${name}"`)
  return name
}
