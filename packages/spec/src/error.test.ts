import { expect, test } from 'vitest'
import { ComponentError, isComponentError } from './index.ts'

test('an error of another copy of the package is recognised by its brand', () => {
  const foreign = Object.assign(new Error('x'), {
    [Symbol.for('outrigger.ComponentError')]: true,
    code: 'NOT_FOUND',
  })
  expect(foreign instanceof ComponentError).toBe(false)
  expect(isComponentError(foreign)).toBe(true)
  expect(isComponentError(new ComponentError('INTERNAL', 'x'))).toBe(true)
})

test('other errors and values are not component errors', () => {
  for (const value of [new Error('x'), undefined, null, 'INTERNAL', { code: 'INTERNAL' }]) {
    expect(isComponentError(value)).toBe(false)
  }
})

test('the code decides whether an error is retryable unless the component says so', () => {
  expect(new ComponentError('UNAVAILABLE', 'x').retryable).toBe(true)
  expect(new ComponentError('UNAVAILABLE', 'x', { retryable: false }).retryable).toBe(false)
  expect(new ComponentError('ETAG_MISMATCH', 'x').retryable).toBe(false)
})

test('the cause is kept', () => {
  const cause = new Error('refused')
  expect(new ComponentError('UNAVAILABLE', 'x', { cause }).cause).toBe(cause)
})

test('what a service answered besides is kept', () => {
  const metadata = { statusCode: '404' }
  expect(new ComponentError('NOT_FOUND', 'x', { metadata }).metadata).toBe(metadata)
  expect(new ComponentError('NOT_FOUND', 'x').metadata).toBeUndefined()
})
