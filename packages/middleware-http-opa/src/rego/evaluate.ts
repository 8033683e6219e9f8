import type { Rule, Term } from './ast.ts'
import type { CallContext } from './builtins/index.ts'
import type { Policy } from './compile.ts'
import { RegoError } from './error.ts'
import type { Frame } from './frame.ts'
import { Terms, type GoWith, type World } from './terms.ts'
import { Tree } from './tree.ts'
import { equal, keyOf, Obj, ValueSet, type Value } from './values.ts'

/** Asks a policy for `data.<its package>.<rule>`. @throws RegoError */
export function evaluate(
  policy: Policy,
  rule: string,
  input: Value | undefined,
  context: CallContext,
  data: Obj = new Obj(),
): Value | undefined {
  try {
    return new Evaluation(policy, context).rule({ input, data, known: new Map(), calls: new Map() }, rule)
  } catch (cause) {
    if (cause instanceof RangeError) throw new RegoError('the policy goes too deep')
    throw cause
  }
}

/** Computes rules. */
class Evaluation extends Terms {
  /** Rules and calls that are being computed. */
  readonly #running = new Set<string>()

  /** The document of all rules of a name. */
  rule(world: World, name: string): Value | undefined {
    if (world.known.has(name)) return world.known.get(name)
    const rules = this.policy.rules.get(name)
    if (rules === undefined || rules[0]!.args !== undefined) return undefined
    if (this.#running.has(name)) throw new RegoError(`the rule ${name} depends on itself`, rules[0])
    this.#running.add(name)
    try {
      const value = this.#document(world, name, rules)
      world.known.set(name, value)
      return value
    } finally {
      this.#running.delete(name)
    }
  }

  #document(world: World, name: string, rules: readonly Rule[]): Value | undefined {
    if (rules.every(({ path, element }) => path.length === 0 && element !== undefined))
      return this.#set(world, rules)
    if (rules.every(({ path }) => path.length === 0)) {
      const found = this.#complete(world, name, rules, undefined)
      return found
    }
    return this.#nested(world, name, rules)
  }

  #set(world: World, rules: readonly Rule[]): Value {
    const items: Value[] = []
    for (const rule of rules) this.#elements(world, rule, (_, item) => void items.push(item))
    return new ValueSet(items)
  }

  #elements(world: World, rule: Rule, add: (frame: Frame, item: Value) => void): void {
    const frame: Frame = []
    this.body(world, rule.clauses[0]!.body, frame, () =>
      this.term(world, rule.element!, frame, (item) => {
        add(frame, item)
        return false
      }),
    )
  }

  /** All rules that hold must agree. @param args of a function */
  #complete(
    world: World,
    name: string,
    rules: readonly Rule[],
    args: readonly Value[] | undefined,
  ): Value | undefined {
    let found: Value | undefined
    for (const rule of rules) {
      if (rule.isDefault) continue
      this.#clauses(world, rule, args, (value) => {
        if (found !== undefined && !equal(found, value))
          throw new RegoError(`${name} has two values at once`, rule)
        found = value
        return false
      })
    }
    if (found !== undefined) return found
    const without = rules.find(({ isDefault }) => isDefault)
    if (without !== undefined) this.#clauses(world, without, args, (value) => ((found = value), true))
    return found
  }

  /** The values of the first clause that has any. */
  #clauses(world: World, rule: Rule, args: readonly Value[] | undefined, go: GoWith): void {
    const frame: Frame = []
    this.match(world, rule.args ?? [], args ?? [], frame, 0, () => {
      for (const { value, body } of rule.clauses) {
        let held = false
        this.body(world, body, frame, () => {
          if (value === undefined) {
            held = true
            return go(true)
          }
          return this.term(world, value, frame, (each) => {
            held = true
            return go(each)
          })
        })
        if (held) break
      }
      return true
    })
  }

  /** Rules whose heads have paths make one object together. */
  #nested(world: World, name: string, rules: readonly Rule[]): Value | undefined {
    const root = new Tree()
    const put = (rule: Rule, frame: Frame, value: Value, isElement: boolean): boolean => {
      this.terms(world, rule.path, frame, (path) => {
        root.put(path, value, isElement, rule.isDefault, name)
        return false
      })
      return false
    }
    for (const rule of rules.toSorted((a, b) => Number(a.isDefault) - Number(b.isDefault))) {
      if (rule.element !== undefined) {
        if (rule.path.every(({ kind }) => kind === 'scalar'))
          root.make(rule.path.map((part) => (part as { value: Value }).value))
        this.#elements(world, rule, (frame, item) => void put(rule, frame, item, true))
        continue
      }
      const frame: Frame = []
      const { value, body } = rule.clauses[0]!
      this.body(world, body, frame, () =>
        value === undefined
          ? put(rule, frame, true, false)
          : this.term(world, value, frame, (each) => put(rule, frame, each, false)),
      )
    }
    return root.value()
  }

  protected ownCall(world: World, name: string, args: readonly Value[], term: Term): Value | undefined {
    const [first = '', ...path] = name.split('.')
    const rules = (this.policy.rules.get(first) ?? []).filter(
      (rule) =>
        rule.args !== undefined &&
        rule.path.length === path.length &&
        rule.path.every((part, index) => part.kind === 'scalar' && part.value === path[index]),
    )
    if (rules.length === 0) throw new RegoError(`the function ${name} is not there`, term)
    if (rules[0]!.args!.length !== args.length)
      throw new RegoError(`the function ${name} takes another number of arguments`, term)
    const key = `${name}(${args.map(keyOf).join()})`
    if (world.calls.has(key)) return world.calls.get(key)
    if (this.#running.has(key)) throw new RegoError(`the function ${name} depends on itself`, term)
    this.#running.add(key)
    try {
      const value = this.#complete(world, name, rules, args)
      world.calls.set(key, value)
      return value
    } finally {
      this.#running.delete(key)
    }
  }
}
