import { RegoError } from './error.ts'
import { equal, keyOf, Obj, ValueSet, type Value } from './values.ts'

/** An object that grows while rules are computed. */
export class Tree {
  readonly #children = new Map<string, { readonly key: Value; value?: Value; items?: Value[]; tree?: Tree }>()

  put(path: readonly Value[], value: Value, isElement: boolean, isDefault: boolean, name: string): void {
    const [key, ...rest] = path
    const child = this.#child(key!)
    if (rest.length > 0) {
      child.tree ??= new Tree()
      child.tree.put(rest, value, isElement, isDefault, name)
    } else if (isElement) (child.items ??= []).push(value)
    else if (child.value === undefined) child.value = value
    else if (!isDefault && !equal(child.value, value))
      throw new RegoError(`${name} has two values for one key`)
  }

  /** A set that may stay empty. */
  make(path: readonly Value[]): void {
    const [key, ...rest] = path
    const child = this.#child(key!)
    if (rest.length === 0) child.items ??= []
    else (child.tree ??= new Tree()).make(rest)
  }

  value(): Obj {
    return new Obj(
      [...this.#children.values()].map(({ key, value, items, tree }) => {
        if ([value, items, tree].filter((each) => each !== undefined).length > 1)
          throw new RegoError('a rule gives a value to what another one gives parts to')
        return [key, tree?.value() ?? (items === undefined ? value! : new ValueSet(items))]
      }),
    )
  }

  #child(key: Value) {
    const name = keyOf(key)
    let child = this.#children.get(name)
    if (child === undefined) this.#children.set(name, (child = { key }))
    return child
  }
}
