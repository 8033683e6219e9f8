import { describe, expect, test } from 'vitest'
import { parseTarget } from './target.ts'

describe('what a caller names', () => {
  test.each([
    ['orders', { kind: 'app', appId: 'orders', namespace: 'here' }],
    ['orders.production', { kind: 'app', appId: 'orders', namespace: 'production' }],
    ['http://example.com', { kind: 'url', url: 'http://example.com' }],
    ['https://api.example.com/v1', { kind: 'url', url: 'https://api.example.com/v1' }],
  ])('%s', (text, target) => {
    expect(parseTarget(text, 'here')).toEqual(target)
  })

  test.each(['', '.', 'orders.', '.production', 'a.b.c', 'x'.repeat(501)])('%s is none', (text) => {
    expect(() => parseTarget(text, 'here')).toThrow(/^failed to invoke, id: .*, err: invalid app id/)
  })

  test('what is too long is not quoted whole', () => {
    const message = (): string => {
      try {
        parseTarget(`a.b.${'x'.repeat(100_000)}`, 'here')
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message().length).toBeLessThan(1500)
    expect(message()).not.toBe('')
  })
})
