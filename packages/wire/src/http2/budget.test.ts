import { expect, it } from 'vitest'
import { Budget } from './budget.ts'

it('a budget is spent, earned back and refilled by time', () => {
  const budget = new Budget(3, 10)
  const spend = (now: number, times: number): boolean[] =>
    Array.from({ length: times }, () => budget.spend(now))
  expect(spend(0, 4)).toEqual([true, true, true, false])
  budget.earn()
  expect(spend(0, 2)).toEqual([true, false])
  expect(spend(100, 2)).toEqual([true, false])
  expect(spend(100_000, 4)).toEqual([true, true, true, false])
})
