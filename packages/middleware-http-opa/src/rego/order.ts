import type { Literal, Term } from './ast.ts'
import { RegoError } from './error.ts'

/**
 * Puts the literals of a body into an order in which each finds the values that it needs, and adds the variables that
 * they bind to `bound`. @throws RegoError when there is none
 */
export function inOrder(body: readonly Literal[], bound: Set<number>): Literal[] {
  const left = [...body]
  const ordered: Literal[] = []
  while (left.length > 0) {
    const own = new Set(left.flatMap((literal) => [...mentioned(literal)]))
    const index = left.findIndex((literal) => isReady(literal, bound, own))
    if (index === -1)
      throw new RegoError('a variable has no value here: nothing in the body gives it one', left[0])
    const [literal] = left.splice(index, 1)
    ordered.push(closed(literal!, bound))
    for (const id of bindsOf(literal!)) bound.add(id)
  }
  return ordered
}

/** Orders what is inside of a literal. */
function closed(literal: Literal, bound: ReadonlySet<number>): Literal {
  const all = new Set(bound)
  if (literal.kind === 'not') {
    closed(literal.literal, bound)
    return literal
  }
  if (literal.kind === 'every') {
    if (literal.key?.id !== undefined) all.add(literal.key.id)
    all.add(literal.value.id!)
    orderTerm(literal.domain, all)
    literal.body = inOrder(literal.body, all)
    return literal
  }
  for (const id of bindsOf(literal)) all.add(id)
  for (const term of termsOf(literal)) orderTerm(term, all)
  return literal
}

function orderTerm(term: Term, bound: ReadonlySet<number>): void {
  if (term.kind === 'comprehension') {
    const own = new Set(bound)
    term.body = inOrder(term.body, own)
    for (const part of [term.key, term.value]) {
      if (part === undefined) continue
      if (needs(part).some((id) => !own.has(id)))
        throw new RegoError('a variable of the comprehension has no value', part)
      orderTerm(part, own)
    }
  } else for (const part of partsOf(term)) orderTerm(part, bound)
}

function isReady(literal: Literal, bound: ReadonlySet<number>, own: ReadonlySet<number>): boolean {
  const has = (ids: Iterable<number>): boolean => [...ids].every((id) => bound.has(id))
  if (!literal.with.every(({ value }) => has(needs(value)))) return false
  // What a comprehension shares with its body must be there before.
  const shared = (term: Term): boolean => {
    const inner = [...closureOf(term)].filter((id) => own.has(id))
    return has(inner)
  }
  switch (literal.kind) {
    case 'some':
      return true
    case 'expr':
      return has(needs(literal.term)) && shared(literal.term)
    case 'some-in':
      return has(needs(literal.domain)) && shared(literal.domain)
    case 'every':
      return has(needs(literal.domain)) && has([...inBody(literal)].filter((id) => own.has(id)))
    case 'not':
      return has([...mentionedVisibly(literal.literal)]) && termsOf(literal.literal).every(shared)
    case 'unify': {
      if (!shared(literal.left) || !shared(literal.right)) return false
      const [left, right] = [needs(literal.left, true), needs(literal.right, true)]
      if (!has(left) || !has(right)) return false
      return has(needs(literal.left)) || has(needs(literal.right)) || both(literal.left, literal.right, bound)
    }
  }
}

/** Whether two patterns can be held against each other piece by piece. */
function both(left: Term, right: Term, bound: ReadonlySet<number>): boolean {
  const ready = (term: Term): boolean => needs(term).every((id) => bound.has(id))
  if (ready(left) || ready(right)) return true
  if (left.kind === 'array' && right.kind === 'array')
    return (
      left.items.length !== right.items.length ||
      left.items.every((item, index) => both(item, right.items[index]!, bound))
    )
  if (left.kind === 'object' && right.kind === 'object') {
    return left.entries.every(([key, value]) => {
      const other = right.entries.find(
        ([each]) => each.kind === 'scalar' && key.kind === 'scalar' && each.value === key.value,
      )
      return other !== undefined && both(value, other[1], bound)
    })
  }
  return false
}

/**
 * What must have a value before a term can be computed. Variables in the brackets of a ref go through what there is.
 * @param asPattern variables that stand alone are given values
 */
function needs(term: Term, asPattern = false): readonly number[] {
  switch (term.kind) {
    case 'var':
      return term.id === undefined || asPattern ? [] : [term.id]
    case 'ref':
      return [...needs(term.head), ...term.path.flatMap((part) => needs(part, isPattern(part)))]
    case 'array':
      return term.items.flatMap((item) => needs(item, asPattern))
    case 'object':
      return term.entries.flatMap(([key, value]) => [...needs(key), ...needs(value, asPattern)])
    case 'set':
      return term.items.flatMap((item) => needs(item))
    case 'call':
      return term.args.flatMap((arg) => needs(arg))
    default:
      return []
  }
}

function isPattern(term: Term): boolean {
  return term.kind === 'var' || term.kind === 'array' || term.kind === 'object'
}

function bindsOf(literal: Literal): ReadonlySet<number> {
  if (literal.kind === 'not' || literal.kind === 'some') return new Set()
  if (literal.kind === 'every') return variables(literal.domain)
  const found = new Set<number>()
  for (const term of termsOf(literal)) for (const id of variables(term)) found.add(id)
  return found
}

function variables(term: Term): Set<number> {
  if (term.kind === 'var') return new Set(term.id === undefined ? [] : [term.id])
  return new Set(partsOf(term).flatMap((part) => [...variables(part)]))
}

function termsOf(literal: Literal): readonly Term[] {
  switch (literal.kind) {
    case 'expr':
      return [literal.term]
    case 'unify':
      return [literal.left, literal.right]
    case 'some-in':
      return literal.key === undefined
        ? [literal.value, literal.domain]
        : [literal.key, literal.value, literal.domain]
    case 'every':
      return [literal.domain]
    case 'not':
      return termsOf(literal.literal)
    default:
      return []
  }
}

/** The terms that a term is made of, one level down; what a comprehension holds is its own. */
export function partsOf(term: Term): readonly Term[] {
  switch (term.kind) {
    case 'ref':
      return [term.head, ...term.path]
    case 'array':
    case 'set':
      return term.items
    case 'object':
      return term.entries.flat()
    case 'call':
      return term.args
    default:
      return []
  }
}

/** Variables of a literal itself, those of comprehensions and of bodies in it left out. */
function mentioned(literal: Literal): ReadonlySet<number> {
  return new Set(termsOf(literal).flatMap((term) => [...variables(term)]))
}

/** Of what is negated, everything that has a name must have a value. */
function mentionedVisibly(literal: Literal): ReadonlySet<number> {
  const wild = new Set<number>()
  const look = (term: Term): void => {
    if (term.kind === 'var' && term.name === '_' && term.id !== undefined) wild.add(term.id)
    for (const part of partsOf(term)) look(part)
  }
  for (const term of termsOf(literal)) look(term)
  return new Set([...mentioned(literal)].filter((id) => !wild.has(id)))
}

/** Variables inside of the comprehensions of a term. */
function closureOf(term: Term): ReadonlySet<number> {
  const found = new Set<number>()
  const look = (each: Term, inside: boolean): void => {
    if (inside && each.kind === 'var' && each.id !== undefined) found.add(each.id)
    if (each.kind === 'comprehension') {
      if (each.key !== undefined) look(each.key, true)
      look(each.value, true)
      for (const literal of each.body) for (const id of everything(literal)) found.add(id)
    } else for (const part of partsOf(each)) look(part, inside)
  }
  look(term, false)
  return found
}

function inBody(literal: Extract<Literal, { kind: 'every' }>): ReadonlySet<number> {
  return new Set(literal.body.flatMap((each) => [...everything(each)]))
}

function everything(literal: Literal): ReadonlySet<number> {
  const found = new Set(mentioned(literal))
  for (const term of [...termsOf(literal), ...literal.with.map(({ value }) => value)]) {
    for (const id of variables(term)) found.add(id)
    for (const id of closureOf(term)) found.add(id)
  }
  const inner = literal.kind === 'not' ? literal.literal : literal
  if (inner.kind === 'every') for (const each of inner.body) for (const id of everything(each)) found.add(id)
  return found
}
