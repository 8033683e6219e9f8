import { Fields } from '@outrigger/wire'
import { expect, it } from 'vitest'
import { canonicalName, httpMetadata, valueOf } from './fields.ts'

it('writes names as the HTTP library of Go does', () => {
  expect(['etag', 'x-forwarded-for', 'CONTENT-TYPE', 'X-2a'].map(canonicalName)).toEqual([
    'Etag',
    'X-Forwarded-For',
    'Content-Type',
    'X-2a',
  ])
})

it('passes on what is not of this connection', () => {
  const fields = new Fields([
    'Host',
    'a',
    'http2-settings',
    'b',
    'upgrade',
    'h2c',
    'x-mine',
    'c',
    'X-Mine',
    'd',
  ])
  expect(httpMetadata(fields)).toEqual(['X-Mine', 'c', 'X-Mine', 'd'])
})

it('finds the first value of a name', () => {
  expect(valueOf(['a', '1', 'Dapr-App-Id', '2', 'dapr-app-id', '3'], 'dapr-app-id')).toBe('2')
  expect(valueOf(['a', '1'], 'b')).toBeUndefined()
})
