import type { Term } from './ast.ts'
import type { Value } from './values.ts'

/** The values of variables; what has none is `undefined`. */
export type Frame = (Value | undefined)[]

/** Whether a pattern has a variable without a value, where one could be given to it. */
export function isOpen(term: Term, frame: Frame): boolean {
  if (term.kind === 'var') return term.id !== undefined && frame[term.id] === undefined
  if (term.kind === 'array') return term.items.some((item) => isOpen(item, frame))
  return term.kind === 'object' && term.entries.some(([, value]) => isOpen(value, frame))
}

export function openness([left, right]: readonly [Term, Term], frame: Frame): number {
  return Number(isOpen(left, frame)) + Number(isOpen(right, frame))
}
