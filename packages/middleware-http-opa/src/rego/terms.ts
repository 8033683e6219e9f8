import type { Literal, Term, With } from './ast.ts'
import { builtins, type CallContext } from './builtins/index.ts'
import type { Policy } from './compile.ts'
import { childOf, entriesOf, isCollection, lookUp, merged, objectOf, replaced } from './documents.ts'
import { RegoError } from './error.ts'
import { isOpen, openness, type Frame } from './frame.ts'
import { equal, isArray, Obj, ValueSet, type Value } from './values.ts'

/** Steps of one evaluation; a policy that needs more does not end. */
const mostSteps = 2_000_000
const mostDepth = 1000

/** Goes on with a value. Returns whether that is enough. */
export type Go = () => boolean
export type GoWith = (value: Value) => boolean

export interface World {
  readonly input: Value | undefined
  /** What `with data...` puts in the place of rules. */
  readonly data: Obj
  /** What rules were computed to be, by their names. */
  readonly known: Map<string, Value | undefined>
  readonly calls: Map<string, Value | undefined>
}

/** Computes bodies and terms; what rules are is for who knows them. */
export abstract class Terms {
  protected readonly policy: Policy
  readonly #context: CallContext
  #steps = 0
  #depth = 0

  constructor(policy: Policy, context: CallContext) {
    this.policy = policy
    this.#context = context
  }

  /** The document of all rules of a name. */
  protected abstract rule(world: World, name: string): Value | undefined
  /** Calls a function of the policy. */
  protected abstract ownCall(
    world: World,
    name: string,
    args: readonly Value[],
    term: Term,
  ): Value | undefined

  protected match(
    world: World,
    patterns: readonly Term[],
    values: readonly Value[],
    frame: Frame,
    index: number,
    go: Go,
  ): boolean {
    if (index === patterns.length) return go()
    return this.unifyValue(world, patterns[index]!, values[index]!, frame, () =>
      this.match(world, patterns, values, frame, index + 1, go),
    )
  }

  /** Everything that must hold, from the first to the last. */
  protected body(world: World, body: readonly Literal[], frame: Frame, go: Go, index = 0): boolean {
    if (index === body.length) return go()
    const literal = body[index]!
    const rest: Go = () => this.body(world, body, frame, go, index + 1)
    if (literal.with.length === 0) return this.#literal(world, literal, frame, rest)
    return this.#inOther(world, literal.with, frame, (other) => this.#literal(other, literal, frame, rest))
  }

  #inOther(world: World, modifiers: readonly With[], frame: Frame, go: (world: World) => boolean): boolean {
    const [first, ...more] = modifiers
    if (first === undefined) return go(world)
    return this.term(world, first.value, frame, (value) => {
      const [root, ...path] = first.target
      const other: World = {
        input: root === 'input' ? replaced(world.input, path, value) : world.input,
        data: root === 'data' ? (replaced(world.data, path, value) as Obj) : world.data,
        known: new Map(),
        calls: new Map(),
      }
      return this.#inOther(other, more, frame, go)
    })
  }

  #literal(world: World, literal: Literal, frame: Frame, go: Go): boolean {
    if (++this.#steps > mostSteps)
      throw new RegoError(`the policy does not end within ${mostSteps} steps`, literal)
    if (++this.#depth > mostDepth) throw new RegoError('the policy goes too deep', literal)
    try {
      switch (literal.kind) {
        case 'some':
          return go()
        case 'expr':
          return this.term(world, literal.term, frame, (value) => value !== false && go())
        case 'unify':
          return this.#unify(world, literal.left, literal.right, frame, go)
        case 'not': {
          let holds = false
          this.#literal(world, literal.literal, frame, () => (holds = true))
          return holds ? false : go()
        }
        case 'some-in':
          return this.term(world, literal.domain, frame, (domain) => {
            for (const [key, value] of entriesOf(domain)) {
              const enough = this.unifyValue(world, literal.value, value, frame, () =>
                literal.key === undefined ? go() : this.unifyValue(world, literal.key, key, frame, go),
              )
              if (enough) return true
            }
            return false
          })
        case 'every':
          return this.term(world, literal.domain, frame, (domain) => {
            const all = entriesOf(domain).every(([key, value]) => {
              let holds = false
              if (literal.key !== undefined) frame[literal.key.id!] = key
              frame[literal.value.id!] = value
              this.body(world, literal.body, frame, () => (holds = true))
              return holds
            })
            if (literal.key !== undefined) frame[literal.key.id!] = undefined
            frame[literal.value.id!] = undefined
            return isCollection(domain) && all ? go() : false
          })
      }
    } finally {
      this.#depth--
    }
  }

  /** Makes two terms equal, by giving values to variables. */
  #unify(world: World, left: Term, right: Term, frame: Frame, go: Go): boolean {
    if (isOpen(right, frame) && !isOpen(left, frame)) return this.#unify(world, right, left, frame, go)
    if (isOpen(right, frame)) {
      if (left.kind === 'array' && right.kind === 'array') {
        if (left.items.length !== right.items.length) return false
        return this.#pairs(
          world,
          left.items.map((item, index) => [item, right.items[index]!] as const),
          frame,
          go,
        )
      }
      if (left.kind === 'object' && right.kind === 'object') {
        if (left.entries.length !== right.entries.length) return false
        const pairs = left.entries.flatMap(([key, value]) => {
          const other = right.entries.find(
            ([each]) => key.kind === 'scalar' && each.kind === 'scalar' && equal(key.value, each.value),
          )
          return other === undefined ? [] : [[value, other[1]] as const]
        })
        return pairs.length === left.entries.length && this.#pairs(world, pairs, frame, go)
      }
    }
    return this.term(world, right, frame, (value) => this.unifyValue(world, left, value, frame, go))
  }

  #pairs(world: World, pairs: readonly (readonly [Term, Term])[], frame: Frame, go: Go, index = 0): boolean {
    if (index === pairs.length) return go()
    // Those with a value first: they may give one to others.
    const rest = pairs.slice(index).toSorted((a, b) => openness(a, frame) - openness(b, frame))
    const [left, right] = rest[0]!
    return this.#unify(world, left, right, frame, () => this.#pairs(world, rest, frame, go, 1))
  }

  protected unifyValue(world: World, pattern: Term, value: Value, frame: Frame, go: Go): boolean {
    if (pattern.kind === 'var' && pattern.id !== undefined) {
      const { id } = pattern
      const bound = frame[id]
      if (bound !== undefined) return equal(bound, value) && go()
      frame[id] = value
      try {
        return go()
      } finally {
        frame[id] = undefined
      }
    }
    if (pattern.kind === 'array' && isOpen(pattern, frame)) {
      if (!isArray(value) || value.length !== pattern.items.length) return false
      return this.match(world, pattern.items, value, frame, 0, go)
    }
    if (pattern.kind === 'object' && isOpen(pattern, frame)) {
      if (!(value instanceof Obj) || value.size !== pattern.entries.length) return false
      return this.#matchEntries(world, pattern.entries, value, frame, 0, go)
    }
    return this.term(world, pattern, frame, (own) => equal(own, value) && go())
  }

  #matchEntries(
    world: World,
    entries: readonly (readonly [Term, Term])[],
    value: Obj,
    frame: Frame,
    index: number,
    go: Go,
  ): boolean {
    if (index === entries.length) return go()
    const [keyTerm, valueTerm] = entries[index]!
    return this.term(world, keyTerm, frame, (key) => {
      const found = value.get(key)
      if (found === undefined) return false
      return this.unifyValue(world, valueTerm, found, frame, () =>
        this.#matchEntries(world, entries, value, frame, index + 1, go),
      )
    })
  }

  protected terms(
    world: World,
    terms: readonly Term[],
    frame: Frame,
    go: (values: readonly Value[]) => boolean,
    done: readonly Value[] = [],
  ): boolean {
    if (done.length === terms.length) return go(done)
    return this.term(world, terms[done.length]!, frame, (value) =>
      this.terms(world, terms, frame, go, [...done, value]),
    )
  }

  /** Every value of a term. */
  protected term(world: World, term: Term, frame: Frame, go: GoWith): boolean {
    if (++this.#steps > mostSteps)
      throw new RegoError(`the policy does not end within ${mostSteps} steps`, term)
    switch (term.kind) {
      case 'scalar':
        return go(term.value)
      case 'var': {
        if (term.id === undefined) return this.#root(world, term.name, [], frame, go)
        const value = frame[term.id]
        return value !== undefined && go(value)
      }
      case 'array':
        return this.terms(world, term.items, frame, go)
      case 'set':
        return this.terms(world, term.items, frame, (items) => go(new ValueSet(items)))
      case 'object':
        return this.terms(world, term.entries.flat(), frame, (flat) => go(this.#object(flat, term)))
      case 'call':
        return this.terms(world, term.args, frame, (args) => {
          const value = this.#call(world, term.name, args, term)
          // It has a value for everything that it finds.
          if (term.name === 'walk' && value !== undefined)
            return entriesOf(value).some(([, each]) => go(each))
          return value !== undefined && go(value)
        })
      case 'comprehension':
        return go(this.#comprehension(world, term, frame))
      case 'ref':
        if (term.head.kind === 'var' && term.head.id === undefined)
          return this.#root(world, term.head.name, term.path, frame, go)
        return this.term(world, term.head, frame, (head) => this.#walk(world, head, term.path, 0, frame, go))
    }
  }

  #object(flat: readonly Value[], term: Term): Obj {
    const entries: [Value, Value][] = []
    for (let index = 0; index < flat.length; index += 2) entries.push([flat[index]!, flat[index + 1]!])
    return objectOf(entries, term)
  }

  #comprehension(world: World, term: Extract<Term, { kind: 'comprehension' }>, frame: Frame): Value {
    const items: Value[] = []
    const entries: [Value, Value][] = []
    this.body(world, term.body, frame, () =>
      this.term(world, term.value, frame, (value) => {
        if (term.key === undefined) items.push(value)
        else this.term(world, term.key, frame, (key) => (entries.push([key, value]), false))
        return false
      }),
    )
    if (term.of === 'array') return items
    return term.of === 'set' ? new ValueSet(items) : objectOf(entries, term)
  }

  /** What is below `input` or `data`. */
  #root(world: World, name: string, path: readonly Term[], frame: Frame, go: GoWith): boolean {
    if (name === 'input')
      return world.input !== undefined && this.#walk(world, world.input, path, 0, frame, go)
    return this.#data(world, path, 0, [], frame, go)
  }

  /** Goes down to the package, and there to a rule. */
  #data(
    world: World,
    path: readonly Term[],
    index: number,
    at: readonly Value[],
    frame: Frame,
    go: GoWith,
  ): boolean {
    const { package: own, rules } = this.policy
    const given = lookUp(world.data, at)
    if (at.length > own.length) {
      const name = at.at(-1) as string
      const value = given ?? this.rule(world, name)
      return value !== undefined && this.#walk(world, value, path, index, frame, go)
    }
    if (index === path.length) {
      const value = merged(given, this.#virtual(world, at))
      return value !== undefined && go(value)
    }
    const virtual =
      at.length < own.length
        ? [own[at.length]!]
        : [...rules].filter(([, [rule]]) => rule!.args === undefined).map(([name]) => name)
    const keys = new ValueSet([
      ...virtual,
      ...(given instanceof Obj ? given.entries.map(([key]) => key) : []),
    ])
    return this.#step(
      world,
      path[index]!,
      keys.items.map((key) => [key, key] as const),
      (key) => (keys.has(key) ? key : undefined),
      frame,
      (key) => {
        const isVirtual = virtual.includes(key as string)
        const next = [...at, key]
        if (isVirtual) return this.#data(world, path, index + 1, next, frame, go)
        return this.#walk(world, lookUp(world.data, next)!, path, index + 1, frame, go)
      },
    )
  }

  /** All rules below a path, as an object. */
  #virtual(world: World, at: readonly Value[]): Value | undefined {
    const { package: own, rules } = this.policy
    let value: Value = new Obj(
      [...rules.keys()].flatMap((name) => {
        const each = this.rule(world, name)
        return each === undefined ? [] : [[name, each] as const]
      }),
    )
    for (const name of own.slice(at.length).toReversed()) value = new Obj([[name, value]])
    return value
  }

  #walk(world: World, value: Value, path: readonly Term[], index: number, frame: Frame, go: GoWith): boolean {
    if (index === path.length) return go(value)
    if (!isCollection(value)) return false
    return this.#step(
      world,
      path[index]!,
      undefined,
      (key) => childOf(value, key),
      frame,
      (child) => this.#walk(world, child, path, index + 1, frame, go),
      value,
    )
  }

  /** One pair of brackets: looks a key up, or goes through all of them. */
  #step(
    world: World,
    part: Term,
    entries: readonly (readonly [Value, Value])[] | undefined,
    find: (key: Value) => Value | undefined,
    frame: Frame,
    go: GoWith,
    collection?: Value,
  ): boolean {
    if (!isOpen(part, frame)) {
      return this.term(world, part, frame, (key) => {
        const child = find(key)
        return child !== undefined && go(child)
      })
    }
    const all = entries ?? entriesOf(collection!)
    for (const [key, child] of all) {
      // Of a set the items are keys and values.
      const wanted = collection instanceof ValueSet ? child : key
      if (this.unifyValue(world, part, wanted, frame, () => go(child))) return true
    }
    return false
  }

  #call(world: World, name: string, args: readonly Value[], term: Term): Value | undefined {
    if (name.startsWith('.')) return this.ownCall(world, name.slice(1), args, term)
    try {
      return builtins.get(name)!.call(args, this.#context)
    } catch (error) {
      // What a function cannot do has no value.
      if (error instanceof RegoError) throw error
      return undefined
    }
  }
}
