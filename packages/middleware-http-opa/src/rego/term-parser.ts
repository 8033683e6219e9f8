import type { Literal, Term } from './ast.ts'
import { RegoError, type Place } from './error.ts'
import { tokensOf, type Token } from './lexer.ts'

/** Deepest nesting of terms and bodies. */
const mostDepth = 200

const keywords: ReadonlySet<string> = new Set(['as', 'default', 'else', 'import', 'not', 'package', 'with'])
/** Calls that signs stand for, by how tightly they bind. */
const relations: Readonly<Record<string, string>> = {
  '==': 'equal',
  '!=': 'neq',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
}
const sums: Readonly<Record<string, string>> = { '+': 'plus', '-': 'minus' }
const products: Readonly<Record<string, string>> = { '*': 'mul', '/': 'div', '%': 'rem' }

/** Reads terms; bodies are read by who knows them. */
export abstract class TermParser {
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0

  constructor(text: string) {
    this.#tokens = tokensOf(text)
  }

  protected abstract block(isRule?: boolean): Literal[]
  protected abstract bodyUntil(close: string): Literal[]

  protected get at(): Token {
    return this.#tokens[this.#index]!
  }

  protected get previous(): Token {
    return this.#tokens[this.#index - 1]!
  }

  protected peek(): Token {
    return this.#tokens[this.#index + 1] ?? this.at
  }

  protected place(): Place {
    const { line, column } = this.at
    return { line, column }
  }

  protected next(): Token {
    const token = this.at
    if (token.kind !== 'end') this.#index++
    return token
  }

  protected is(sign: string): boolean {
    return this.at.kind === 'sign' && this.at.text === sign
  }

  protected isName(name: string): boolean {
    return this.at.kind === 'name' && this.at.text === name
  }

  protected takes(sign: string): boolean {
    if (!this.is(sign)) return false
    this.next()
    return true
  }

  protected expect(sign: string): void {
    if (!this.takes(sign)) this.fail(sign)
  }

  protected expectName(name: string): void {
    if (!this.isName(name)) this.fail(name)
    this.next()
  }

  protected name(): string {
    if (this.at.kind !== 'name') this.fail('a name')
    return this.next().text
  }

  protected fail(wanted: string): never {
    throw new RegoError(`${wanted} was expected, and there is ${this.at.text}`, this.place())
  }

  /** Terms between commas, to the closing sign. */
  protected list(close: string): Term[] {
    const items: Term[] = []
    while (!this.is(close)) {
      items.push(this.expression())
      if (!this.takes(',')) break
    }
    this.expect(close)
    return items
  }

  /** A term with all signs but `=`, `:=` and, at the top, `in`. */
  protected expression(): Term {
    return this.relation()
  }

  protected relation(withIn = true): Term {
    if (++this.#depth > mostDepth) throw new RegoError('it is nested too deeply', this.place())
    try {
      const place = this.place()
      let left = this.compared()
      while (withIn && this.isName('in')) {
        this.next()
        left = { kind: 'call', name: 'internal.member_2', args: [left, this.compared()], ...place }
      }
      return left
    } finally {
      this.#depth--
    }
  }

  /** `key, value in collection`, behind the key. */
  protected keyed(key: Term): Term {
    this.expect(',')
    const value = this.compared()
    this.expectName('in')
    const { line, column } = key
    return { kind: 'call', name: 'internal.member_3', args: [key, value, this.compared()], line, column }
  }

  protected compared(): Term {
    return this.chain(relations, () => this.union())
  }

  private union(): Term {
    return this.#withoutBar ? this.intersection() : this.chain({ '|': 'or' }, () => this.intersection())
  }

  private intersection(): Term {
    return this.chain({ '&': 'and' }, () => this.sum())
  }

  private sum(): Term {
    return this.chain(sums, () => this.product())
  }

  private product(): Term {
    return this.chain(products, () => this.term())
  }

  /** Signs of one rank, from left to right. */
  private chain(names: Readonly<Record<string, string>>, operand: () => Term): Term {
    const place = this.place()
    let left = operand()
    while (this.at.kind === 'sign' && Object.hasOwn(names, this.at.text)) {
      const name = names[this.next().text]!
      left = { kind: 'call', name, args: [left, operand()], ...place }
    }
    return left
  }

  #withoutBar = false

  /** The first term in brackets, behind which a bar means a comprehension. */
  private head(): Term {
    const before = this.#withoutBar
    this.#withoutBar = true
    try {
      return this.expression()
    } finally {
      this.#withoutBar = before
    }
  }

  /** Inside brackets of its own a bar is a union again. */
  private inside<T>(read: () => T): T {
    const before = this.#withoutBar
    this.#withoutBar = false
    try {
      return read()
    } finally {
      this.#withoutBar = before
    }
  }

  /** A term without signs between terms. */
  protected term(): Term {
    let term = this.primary()
    const path: Term[] = []
    const place = { line: term.line, column: term.column }
    for (;;) {
      if (this.at.apart) break
      if (this.is('.')) {
        this.next()
        path.push({ kind: 'scalar', value: this.name(), ...place })
      } else if (this.is('[')) {
        this.next()
        path.push(this.inside(() => this.expression()))
        this.expect(']')
      } else if (this.is('(')) {
        const name = callName(term, path)
        if (name === undefined) this.fail('the name of a function before (')
        this.next()
        term = { kind: 'call', name, args: this.inside(() => this.list(')')), ...place }
        path.length = 0
      } else break
    }
    return path.length === 0 ? term : { kind: 'ref', head: term, path, ...place }
  }

  private primary(): Term {
    const place = this.place()
    const { kind, text } = this.at
    if (kind === 'string') return { kind: 'scalar', value: this.next().text, ...place }
    if (kind === 'number') return { kind: 'scalar', value: Number(this.next().text), ...place }
    if (kind === 'name') {
      if (keywords.has(text)) this.fail('a term')
      this.next()
      if (text === 'true' || text === 'false') return { kind: 'scalar', value: text === 'true', ...place }
      if (text === 'null') return { kind: 'scalar', value: null, ...place }
      if (text === 'set' && this.is('(') && this.peek().text === ')') {
        this.next()
        this.next()
        return { kind: 'set', items: [], ...place }
      }
      return { kind: 'var', name: text, ...place }
    }
    if (this.is('-')) {
      this.next()
      const operand = this.term()
      if (operand.kind === 'scalar' && typeof operand.value === 'number')
        return { kind: 'scalar', value: -operand.value, ...place }
      const zero: Term = { kind: 'scalar', value: 0, ...place }
      return { kind: 'call', name: 'minus', args: [zero, operand], ...place }
    }
    if (this.takes('(')) {
      const term = this.inside(() => this.expression())
      const whole = this.is(',') ? this.inside(() => this.keyed(term)) : term
      this.expect(')')
      return whole
    }
    if (this.takes('[')) return this.array(place)
    if (this.takes('{')) return this.braces(place)
    return this.fail('a term')
  }

  private array(place: Place): Term {
    if (this.takes(']')) return { kind: 'array', items: [], ...place }
    const first = this.head()
    if (this.takes('|')) {
      const body = this.inside(() => this.bodyUntil(']'))
      return { kind: 'comprehension', of: 'array', key: undefined, value: first, body, ...place }
    }
    this.takes(',')
    return { kind: 'array', items: [first, ...this.inside(() => this.list(']'))], ...place }
  }

  private braces(place: Place): Term {
    if (this.takes('}')) return { kind: 'object', entries: [], ...place }
    const first = this.head()
    if (this.takes(':')) {
      const value = this.head()
      if (this.takes('|')) {
        const body = this.inside(() => this.bodyUntil('}'))
        return { kind: 'comprehension', of: 'object', key: first, value, body, ...place }
      }
      const entries: [Term, Term][] = [[first, value]]
      while (this.takes(',') && !this.is('}')) {
        const key = this.inside(() => this.expression())
        this.expect(':')
        entries.push([key, this.inside(() => this.expression())])
      }
      this.expect('}')
      return { kind: 'object', entries, ...place }
    }
    if (this.takes('|')) {
      const body = this.inside(() => this.bodyUntil('}'))
      return { kind: 'comprehension', of: 'set', key: undefined, value: first, body, ...place }
    }
    this.takes(',')
    return { kind: 'set', items: [first, ...this.inside(() => this.list('}'))], ...place }
  }
}

/** `io.jwt.decode` as it is written; `undefined` for what cannot be called. */
function callName(term: Term, path: readonly Term[]): string | undefined {
  if (term.kind !== 'var') return undefined
  const names = path.map((each) =>
    each.kind === 'scalar' && typeof each.value === 'string' ? each.value : undefined,
  )
  return names.includes(undefined) ? undefined : [term.name, ...names].join('.')
}
