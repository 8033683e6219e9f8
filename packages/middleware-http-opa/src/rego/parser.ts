import type { Clause, Import, Literal, Module, Rule, Term, VarTerm, With } from './ast.ts'
import { RegoError } from './error.ts'
import { TermParser } from './term-parser.ts'

/** Reads a policy, in the syntax of Rego v0 with and without future keywords, and of v1. @throws RegoError */
export function parseModule(text: string): Module {
  return new Parser(text).module()
}

class Parser extends TermParser {
  module(): Module {
    this.expectName('package')
    const path = this.staticPath()
    const imports: Import[] = []
    const rules: Rule[] = []
    while (this.at.kind !== 'end') {
      if (this.takes(';')) continue
      if (this.isName('import')) imports.push(...this.import())
      else rules.push(...this.rule())
    }
    return { package: path, imports, rules }
  }

  private import(): Import[] {
    const { line, column } = this.at
    this.expectName('import')
    const path = this.staticPath()
    const alias = this.isName('as') ? (this.next(), this.name()) : path.at(-1)!
    if (path[0] === 'future' || path[0] === 'rego') return []
    if (path[0] !== 'input' && path[0] !== 'data')
      throw new RegoError('an import begins with input, data, future.keywords or rego.v1', { line, column })
    return [{ path, alias }]
  }

  private staticPath(): string[] {
    const path = [this.name()]
    for (;;) {
      if (this.is('.') && !this.at.apart) {
        this.next()
        path.push(this.name())
      } else if (this.is('[') && !this.at.apart) {
        this.next()
        if (this.at.kind !== 'string') this.fail('a text')
        path.push(this.next().text)
        this.expect(']')
      } else return path
    }
  }

  private rule(): Rule[] {
    const place = this.place()
    const isDefault = this.isName('default') && this.peek().kind === 'name' && !this.peek().newLine
    if (isDefault) this.next()
    const name = this.name()
    const path: Term[] = []
    let args: Term[] | undefined
    let endsInBrackets = false
    for (;;) {
      if (this.at.apart && !this.is('(')) break
      if (this.is('.')) {
        this.next()
        path.push({ kind: 'scalar', value: this.name(), ...place })
        endsInBrackets = false
      } else if (this.is('[')) {
        this.next()
        endsInBrackets = true
        path.push(this.expression())
        this.expect(']')
      } else if (this.is('(') && args === undefined && !this.at.apart) {
        this.next()
        args = this.list(')')
      } else break
    }
    let element: Term | undefined
    let value: Term | undefined
    if (this.isName('contains') && !this.at.newLine) {
      this.next()
      element = this.term()
    }
    if (!this.at.newLine && (this.is('=') || this.is(':='))) {
      this.next()
      value = this.expression()
    }
    const hasIf = this.isName('if') && !this.at.newLine
    // `p[x] { ... }` is a set, `p[x] if { ... }` an object.
    const saysMore = hasIf || value !== undefined || element !== undefined || args !== undefined
    if (!saysMore && endsInBrackets && path.length === 1) element = path.pop()
    const clauses: Clause[] = [{ value, body: this.ruleBody() }]
    while (this.isName('else')) {
      this.next()
      let other: Term | undefined
      if (this.is('=') || this.is(':=')) {
        this.next()
        other = this.expression()
      }
      clauses.push({ value: other, body: this.ruleBody() })
    }
    const rules: Rule[] = [{ name, path, args, isDefault, element, clauses, ...place }]
    // Further bodies of the same head.
    while (this.is('{') && !this.at.newLine && !hasIf)
      rules.push({ ...rules[0]!, clauses: [{ value, body: this.block(true) }] })
    return rules
  }

  private ruleBody(): readonly Literal[] {
    if (this.isName('if') && !this.at.newLine) {
      this.next()
      if (!this.is('{')) return [this.literal()]
      return this.block(true)
    }
    return this.is('{') && !this.at.newLine ? this.block(true) : []
  }

  /** A body in braces. `isRule`: it must not be empty. */
  protected override block(isRule = false): Literal[] {
    this.expect('{')
    const body: Literal[] = []
    while (!this.is('}')) {
      if (this.takes(';')) continue
      if (body.length > 0 && !this.at.newLine && this.previous.text !== ';') this.fail('a new line, ; or }')
      body.push(this.literal())
    }
    if (isRule && body.length === 0) this.fail('something that must hold')
    this.next()
    return body
  }

  /** What follows the bar of a comprehension, to its closing sign. */
  protected override bodyUntil(close: string): Literal[] {
    const body: Literal[] = []
    while (!this.is(close)) {
      if (this.takes(';')) continue
      if (body.length > 0 && !this.at.newLine && this.previous.text !== ';')
        this.fail(`a new line, ; or ${close}`)
      body.push(this.literal())
    }
    this.next()
    return body
  }

  private literal(): Literal {
    const place = this.place()
    if (this.isName('not')) {
      this.next()
      const literal = this.literal()
      const modifiers = literal.with
      return { kind: 'not', literal: { ...literal, with: [] }, with: modifiers, ...place }
    }
    if (this.isName('some') && this.peek().kind !== 'sign') return this.some()
    if (this.isName('some') && ['[', '{'].includes(this.peek().text)) return this.some()
    if (this.isName('every') && this.peek().kind === 'name') return this.every()
    const term = this.relation()
    if (this.is(',')) return { kind: 'expr', term: this.keyed(term), with: this.modifiers(), ...place }
    if (this.is(':=') || this.is('=')) {
      const declares = this.next().text === ':='
      const right = this.relation()
      return { kind: 'unify', left: term, right, declares, with: this.modifiers(), ...place }
    }
    return { kind: 'expr', term, with: this.modifiers(), ...place }
  }

  private some(): Literal {
    const place = this.place()
    this.next()
    const first = this.relation(false)
    const terms = [first]
    while (this.takes(',')) terms.push(this.relation(false))
    if (this.isName('in')) {
      this.next()
      const domain = this.relation()
      if (terms.length > 2) this.fail('at most a key and a value before in')
      const [key, value] = terms.length === 2 ? [terms[0]!, terms[1]!] : [undefined, first]
      return { kind: 'some-in', key, value, domain, with: this.modifiers(), ...place }
    }
    const names = terms.map((term) => (term.kind === 'var' ? term : this.fail('names of variables')))
    return { kind: 'some', names, with: [], ...place }
  }

  private every(): Literal {
    const place = this.place()
    this.next()
    const first = this.variable()
    const second = this.takes(',') ? this.variable() : undefined
    this.expectName('in')
    const domain = this.relation()
    const body = this.block()
    const [key, value] = second === undefined ? [undefined, first] : [first, second]
    return { kind: 'every', key, value, domain, body, with: this.modifiers(), ...place }
  }

  private variable(): VarTerm {
    const place = this.place()
    return { kind: 'var', name: this.name(), ...place }
  }

  private modifiers(): With[] {
    const modifiers: With[] = []
    while (this.isName('with')) {
      const { line, column } = this.next()
      const target = this.staticPath()
      if (target[0] !== 'input' && target[0] !== 'data')
        throw new RegoError('with takes the place of input or data; of functions it does not here', {
          line,
          column,
        })
      this.expectName('as')
      modifiers.push({ target, value: this.relation() })
    }
    return modifiers
  }
}
