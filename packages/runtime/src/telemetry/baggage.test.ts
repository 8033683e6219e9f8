import { expect, it } from 'vitest'
import { baggageProblem } from './baggage.ts'

it.each([
  [['a=1']],
  [['a=1,b=2', 'c=']],
  [['k = v ; p=1 ; q , x = y']],
  [['user=a%20b']],
  [[`a=${'x'.repeat(8000)}`]],
])('%j is baggage', (values) => expect(baggageProblem(values)).toBeUndefined())

it.each([
  [[';;'], /has no value/],
  [['a'], /has no value/],
  [['a b=c'], /key "a b"/],
  [['=1'], /key ""/],
  [['é=1'], /key "é"/],
  [['k=a%zz'], /value of k/],
  [['k=a b'], /value of k/],
  [['k="v"'], /value of k/],
  [['k=v;p q=1'], /property "p q"/],
  [['a=1,,b=2'], /has no value/],
  [[`a=${'x'.repeat(9000)}`], /longer than 8192/],
  [[Array.from({ length: 200 }, () => 'a=1').join(',')], /more than 180/],
])('%.40j is none', (values, problem) => expect(baggageProblem(values)).toMatch(problem))
