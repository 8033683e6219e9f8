import { describe, expect, it } from 'vitest'
import { compileRoutes } from './routing.ts'

const event = { type: 'order.paid', data: { amount: 12, tags: ['a', 'b'] }, constructor: null }

function match(rules: [match: string, path: string][], defaultPath?: string): string | undefined {
  const routes = compileRoutes(
    rules.map(([rule, path]) => ({ match: rule, path })),
    defaultPath,
    'sub "s"',
  )
  return routes.match(() => event)
}

describe('routes', () => {
  it.each([
    ['event.type == "order.paid"', true],
    ['event.data.amount > 10', true],
    ['event.data.amount == 12.0', true],
    ['has(event.data.none)', false],
    ['event.data.tags.exists(t, t == "b") && event.type.startsWith("order.")', true],
    ['event["type"].matches("^x")', false],
  ])('decides %s', (rule, expected) => {
    expect(match([[rule, 'yes']], 'no')).toBe(expected ? 'yes' : 'no')
  })

  it('takes the first rule that holds, then the default, then nothing', () => {
    expect(
      match([
        ['false', 'a'],
        ['true', 'b'],
        ['true', 'c'],
      ]),
    ).toBe('b')
    expect(
      match([
        ['false', 'a'],
        [' ', '//b'],
      ]),
    ).toBe('//b')
    expect(match([['false', 'a']], '')).toBe('')
    expect(match([['false', 'a']])).toBeUndefined()
  })

  it('does not look at the event when no rule needs it', () => {
    const routes = compileRoutes([], 'all', 's')
    expect(routes.match(() => expect.unreachable())).toBe('all')
    expect(routes.paths).toEqual(['all'])
  })

  it.each(['event.data.none == 1', 'event.constructor.name == "x"', 'nobody == 1', 'event.data.amount'])(
    'fails for an event for which %s cannot be decided',
    (rule) => {
      expect(() =>
        match(
          [
            ['false', 'x'],
            [rule, 'yes'],
          ],
          'no',
        ),
      ).toThrow(/^sub "s": rule 2 \(match: /)
    },
  )

  it.each([
    ['event.type ==', /^sub "s": rule 1 \(match: "event.type =="\) is not a CEL expression: /],
    ['1 + "a" == 2', /rule 1 .* cannot be computed: found no matching overload/],
    ['1 + 1', /rule 1 .* answered neither true nor false/],
    ['x'.repeat(20_000), /rule 1 .* is longer than/],
  ])('refuses %s when it is compiled', (rule, message) => {
    expect(() => match([[rule, 'yes']])).toThrow(message)
  })
})
