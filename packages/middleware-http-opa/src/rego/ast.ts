import type { Place } from './error.ts'
import type { Value } from './values.ts'

export type Term = Place &
  (
    | { readonly kind: 'scalar'; readonly value: Value }
    /** A variable; the compiler gives it a number. */
    | { readonly kind: 'var'; readonly name: string; id?: number }
    | { readonly kind: 'ref'; readonly head: Term; readonly path: readonly Term[] }
    | { readonly kind: 'array'; readonly items: readonly Term[] }
    | { readonly kind: 'set'; readonly items: readonly Term[] }
    | { readonly kind: 'object'; readonly entries: readonly (readonly [Term, Term])[] }
    | { readonly kind: 'call'; readonly name: string; readonly args: readonly Term[] }
    | {
        readonly kind: 'comprehension'
        readonly of: 'array' | 'set' | 'object'
        readonly key: Term | undefined
        readonly value: Term
        body: readonly Literal[]
      }
  )

export type VarTerm = Extract<Term, { kind: 'var' }>

export interface With {
  /** `input` or `data`, and what is below. */
  readonly target: readonly string[]
  readonly value: Term
}

export type Literal = Place & { readonly with: readonly With[] } & (
    | { readonly kind: 'expr'; readonly term: Term }
    | { readonly kind: 'unify'; readonly left: Term; readonly right: Term; readonly declares: boolean }
    | { readonly kind: 'not'; readonly literal: Literal }
    | { readonly kind: 'some'; readonly names: readonly VarTerm[] }
    | {
        readonly kind: 'some-in'
        readonly key: Term | undefined
        readonly value: Term
        readonly domain: Term
      }
    | {
        readonly kind: 'every'
        readonly key: VarTerm | undefined
        readonly value: VarTerm
        readonly domain: Term
        body: readonly Literal[]
      }
  )

/** A value with its body, and what is tried when that does not hold. */
export interface Clause {
  readonly value: Term | undefined
  body: readonly Literal[]
}

export interface Rule extends Place {
  readonly name: string
  /** What follows the name in the head. */
  readonly path: readonly Term[]
  readonly args: readonly Term[] | undefined
  readonly isDefault: boolean
  /** The element of a partial set. */
  readonly element: Term | undefined
  readonly clauses: readonly Clause[]
  /** How many variables there are. */
  size?: number
}

export interface Import {
  readonly path: readonly string[]
  readonly alias: string
}

export interface Module {
  readonly package: readonly string[]
  readonly imports: readonly Import[]
  readonly rules: readonly Rule[]
}
