import type { Literal, Module, Rule, Term, VarTerm } from './ast.ts'
import { builtins } from './builtins/index.ts'
import { RegoError } from './error.ts'
import { inOrder, partsOf } from './order.ts'

/** A policy that can be asked. */
export interface Policy {
  readonly package: readonly string[]
  /** By the first name of their heads. */
  readonly rules: ReadonlyMap<string, readonly Rule[]>
}

/** Gives every name its meaning and every body an order in which it can be computed. @throws RegoError */
export function compile(module: Module): Policy {
  const rules = new Map<string, Rule[]>()
  for (const rule of module.rules) {
    const list = rules.get(rule.name)
    if (list === undefined) rules.set(rule.name, [rule])
    else list.push(rule)
  }
  const names = new Names(module, new Set(rules.keys()))
  const compiled = new Map<string, readonly Rule[]>()
  for (const [name, list] of rules) {
    checkKinds(name, list)
    compiled.set(
      name,
      list.map((rule) => names.rule(rule)),
    )
  }
  return { package: module.package, rules: compiled }
}

function checkKinds(name: string, rules: readonly Rule[]): void {
  const [first] = rules
  for (const rule of rules) {
    if ((rule.args === undefined) !== (first!.args === undefined))
      throw new RegoError(`${name} is a function and a value`, rule)
    if (rule.args !== undefined && rule.args.length !== first!.args!.length)
      throw new RegoError(`${name} has different numbers of parameters`, rule)
    if (rule.path.length === 0 && (rule.element === undefined) !== (first!.element === undefined))
      throw new RegoError(`${name} is a set and a value`, rule)
  }
  const defaults = rules.filter((rule) => rule.isDefault && rule.path.length === 0)
  if (defaults.length > 1) throw new RegoError(`${name} has two defaults`, defaults[1])
}

/** Names of one rule, body or comprehension, and those around it. */
class Scope {
  readonly #outer: Scope | undefined
  readonly #ids = new Map<string, number>()
  readonly #counter: { count: number }

  constructor(outer: Scope | undefined, counter: { count: number }) {
    this.#outer = outer
    this.#counter = counter
  }

  inner(): Scope {
    return new Scope(this, this.#counter)
  }

  declare(name: string): number {
    const id = this.#counter.count++
    this.#ids.set(name, id)
    return id
  }

  find(name: string): number | undefined {
    return this.#ids.get(name) ?? this.#outer?.find(name)
  }

  /** A variable that stands for itself alone. */
  fresh(): number {
    return this.#counter.count++
  }
}

class Names {
  readonly #module: Module
  readonly #rules: ReadonlySet<string>
  readonly #imports: ReadonlyMap<string, readonly string[]>

  constructor(module: Module, rules: ReadonlySet<string>) {
    this.#module = module
    this.#rules = rules
    this.#imports = new Map(module.imports.map(({ alias, path }) => [alias, path]))
  }

  rule(rule: Rule): Rule {
    const counter = { count: 0 }
    const scope = new Scope(undefined, counter)
    const args = rule.args?.map((term) => this.#pattern(term, scope))
    const outer = new Set(args?.flatMap((term) => variablesOf(term)))
    // Each clause has names of its own; those of the head belong to all of them.
    const head = [...rule.path, ...(rule.element === undefined ? [] : [rule.element])]
    let path = rule.path
    let element = rule.element
    const clauses = rule.clauses.map(({ value, body }, index) => {
      const own = scope.inner()
      const terms = [...head, ...(value === undefined ? [] : [value])]
      const literals = this.#body(body, own, terms)
      const resolved = terms.map((term) => this.#term(term, own))
      const bound = new Set(outer)
      const ordered = inOrder(literals, bound)
      for (const term of resolved) {
        const unbound = needsOfHead(term).find((id) => !bound.has(id))
        if (unbound !== undefined)
          throw new RegoError(
            `a variable of the head of ${rule.name} has no value: the body does not give it one`,
            rule,
          )
      }
      if (index === 0) {
        path = resolved.slice(0, rule.path.length)
        element = rule.element === undefined ? undefined : resolved[rule.path.length]
      }
      return { value: value === undefined ? undefined : resolved.at(-1), body: ordered }
    })
    return { ...rule, args, path, element, clauses, size: counter.count }
  }

  /** Declares what a body declares, and the names that it and the terms beside it use, and resolves it. */
  #body(body: readonly Literal[], scope: Scope, beside: readonly Term[]): Literal[] {
    for (const literal of body) for (const name of declaredBy(literal)) scope.declare(name)
    for (const term of beside) this.#implicit(term, scope)
    for (const literal of body) this.#implicitIn(literal, scope)
    return body.map((literal) => this.#literal(literal, scope))
  }

  /** Whether a name means something outside of the rule. */
  #isGlobal(name: string): boolean {
    return name === 'input' || name === 'data' || this.#rules.has(name) || this.#imports.has(name)
  }

  #implicit(term: Term, scope: Scope): void {
    if (term.kind === 'var') {
      if (term.name !== '_' && scope.find(term.name) === undefined && !this.#isGlobal(term.name))
        scope.declare(term.name)
    } else if (term.kind !== 'comprehension') for (const part of partsOf(term)) this.#implicit(part, scope)
  }

  #implicitIn(literal: Literal, scope: Scope): void {
    if (literal.kind === 'expr') this.#implicit(literal.term, scope)
    else if (literal.kind === 'unify') {
      this.#implicit(literal.left, scope)
      this.#implicit(literal.right, scope)
    } else if (literal.kind === 'not') this.#implicitIn(literal.literal, scope)
    else if (literal.kind === 'every' || literal.kind === 'some-in') this.#implicit(literal.domain, scope)
    for (const { value } of literal.with) this.#implicit(value, scope)
  }

  #literal(literal: Literal, scope: Scope): Literal {
    const modifiers = literal.with.map(({ target, value }) => ({ target, value: this.#term(value, scope) }))
    switch (literal.kind) {
      case 'expr': {
        const { term } = literal
        if (term.kind === 'call' && term.args.length === this.#arity(term.name) + 1) {
          // One argument more takes the result: `plus(1, 2, x)`.
          const right = { ...term, args: term.args.slice(0, -1) }
          const { line, column } = literal
          return this.#literal(
            {
              kind: 'unify',
              left: term.args.at(-1)!,
              right,
              declares: false,
              with: literal.with,
              line,
              column,
            },
            scope,
          )
        }
        return { ...literal, term: this.#term(term, scope), with: modifiers }
      }
      case 'unify': {
        const left = this.#term(literal.left, scope)
        return { ...literal, left, right: this.#term(literal.right, scope), with: modifiers }
      }
      case 'not':
        return { ...literal, literal: this.#literal(literal.literal, scope), with: modifiers }
      case 'some':
        return literal
      case 'some-in': {
        const key = literal.key === undefined ? undefined : this.#term(literal.key, scope)
        const value = this.#term(literal.value, scope)
        return { ...literal, key, value, domain: this.#term(literal.domain, scope), with: modifiers }
      }
      case 'every': {
        const domain = this.#term(literal.domain, scope)
        const own = scope.inner()
        const declare = (term: VarTerm): VarTerm => ({ ...term, id: own.declare(term.name) })
        const key = literal.key === undefined ? undefined : declare(literal.key)
        const value = declare(literal.value)
        const body = this.#body(literal.body, own, [])
        return { ...literal, key, value, domain, body, with: modifiers }
      }
    }
  }

  /** A parameter: its names are new, whatever they mean elsewhere. */
  #pattern(term: Term, scope: Scope): Term {
    if (term.kind === 'var') {
      if (term.name === '_') return { ...term, id: scope.fresh() }
      return { ...term, id: scope.find(term.name) ?? scope.declare(term.name) }
    }
    if (term.kind === 'array') return { ...term, items: term.items.map((item) => this.#pattern(item, scope)) }
    if (term.kind === 'object') {
      const entries = term.entries.map(([key, value]) => [key, this.#pattern(value, scope)] as const)
      return { ...term, entries }
    }
    return this.#term(term, scope)
  }

  #term(term: Term, scope: Scope): Term {
    switch (term.kind) {
      case 'scalar':
        return term
      case 'var':
        return this.#variable(term, scope)
      case 'ref': {
        const path = term.path.map((part) => this.#term(part, scope))
        const head = this.#term(term.head, scope)
        if (head.kind === 'ref') return { ...head, path: [...head.path, ...path] }
        return { ...term, head, path }
      }
      case 'array':
      case 'set':
        return { ...term, items: term.items.map((item) => this.#term(item, scope)) }
      case 'object': {
        const entries = term.entries.map(
          ([key, value]) => [this.#term(key, scope), this.#term(value, scope)] as const,
        )
        return { ...term, entries }
      }
      case 'call':
        return this.#call(term, scope)
      case 'comprehension': {
        const own = scope.inner()
        const beside = term.key === undefined ? [term.value] : [term.key, term.value]
        const body = this.#body(term.body, own, beside)
        const key = term.key === undefined ? undefined : this.#term(term.key, own)
        return { ...term, key, value: this.#term(term.value, own), body }
      }
    }
  }

  #variable(term: VarTerm, scope: Scope): Term {
    const { name, line, column } = term
    if (name === '_') return { ...term, id: scope.fresh() }
    const id = scope.find(name)
    if (id !== undefined) return { ...term, id }
    if (name === 'input' || name === 'data') return term
    const path =
      this.#imports.get(name) ?? (this.#rules.has(name) ? ['data', ...this.#module.package, name] : undefined)
    if (path === undefined) throw new RegoError(`${name} is not known here`, term)
    const parts = path.slice(1).map((part): Term => ({ kind: 'scalar', value: part, line, column }))
    const head: Term = { kind: 'var', name: path[0]!, line, column }
    return parts.length === 0 ? head : { kind: 'ref', head, path: parts, line, column }
  }

  #call(term: Extract<Term, { kind: 'call' }>, scope: Scope): Term {
    const args = term.args.map((arg) => this.#term(arg, scope))
    const name = this.#functionName(term.name)
    if (name !== undefined) return { ...term, name, args }
    const builtin = builtins.get(term.name)
    if (builtin === undefined) throw new RegoError(`the function ${term.name} is not there`, term)
    if (args.length < builtin.least || args.length > builtin.most)
      throw new RegoError(`the function ${term.name} takes another number of arguments`, term)
    return { ...term, args }
  }

  /** How many arguments a function takes at most. */
  #arity(name: string): number {
    const own = this.#module.rules.find(
      (rule) => rule.args !== undefined && `.${headName(rule)}` === this.#functionName(name),
    )
    return own?.args?.length ?? builtins.get(name)?.most ?? Number.POSITIVE_INFINITY
  }

  /** Functions of the policy are called by a name that begins with a dot. */
  #functionName(written: string): string | undefined {
    const prefix = `data.${this.#module.package.join('.')}.`
    const name = written.startsWith(prefix) ? written.slice(prefix.length) : written
    const imported = this.#imports.get(name.split('.')[0]!)
    if (imported !== undefined && imported[0] === 'data') return undefined
    return this.#rules.has(name.split('.')[0]!) && !builtins.has(name) ? `.${name}` : undefined
  }
}

/** The name of a rule with its fixed path. */
function headName({ name, path }: Rule): string {
  return [name, ...path.map((part) => (part.kind === 'scalar' ? String(part.value) : '?'))].join('.')
}

function declaredBy(literal: Literal): readonly string[] {
  if (literal.kind === 'some') return literal.names.map(({ name }) => name)
  if (literal.kind === 'some-in')
    return [...(literal.key === undefined ? [] : names(literal.key)), ...names(literal.value)]
  if (literal.kind === 'unify' && literal.declares) return names(literal.left)
  return []
}

/** The variables of a pattern. */
function names(term: Term): readonly string[] {
  if (term.kind === 'var') return term.name === '_' ? [] : [term.name]
  if (term.kind === 'array') return term.items.flatMap(names)
  return term.kind === 'object' ? term.entries.flatMap(([, value]) => names(value)) : []
}

/** The variables of a term, those of comprehensions left out. */
export function variablesOf(term: Term): readonly number[] {
  if (term.kind === 'var') return term.id === undefined ? [] : [term.id]
  return partsOf(term).flatMap(variablesOf)
}

/** A head may iterate over what its refs name. */
function needsOfHead(term: Term): readonly number[] {
  if (term.kind === 'ref') return variablesOf(term.head)
  if (term.kind === 'var') return term.id === undefined ? [] : [term.id]
  return partsOf(term).flatMap(needsOfHead)
}
