import { expect, test } from 'vitest'
import type { ApiRule } from '../config/configuration.ts'
import { allows } from './api-access.ts'

const rule = (name: string, version?: string, protocol?: string): ApiRule => ({ name, version, protocol })

test('without lists everything is offered', () => {
  expect(allows({ allowed: [], denied: [] }, 'v1.0/state/:store')).toBe(true)
})

test('a denied block is not offered, in its version and protocol', () => {
  const access = { allowed: [], denied: [rule('state', 'v1.0', 'http'), rule('secrets', undefined, 'grpc')] }
  expect(allows(access, 'v1.0/state/:store')).toBe(false)
  expect(allows(access, 'v1.0-alpha1/state/:store/query')).toBe(true)
  expect(allows(access, 'v1.0/secrets/:store/:key')).toBe(true)
})

test('where any is allowed, only those are offered', () => {
  const access = { allowed: [rule('invoke', 'v1.0', 'http')], denied: [] }
  expect(allows(access, 'v1.0/invoke/*')).toBe(true)
  expect(allows(access, 'v1.0/state/:store')).toBe(false)
})

test('a list for gRPC alone says nothing of HTTP', () => {
  expect(allows({ allowed: [rule('state', 'v1', 'grpc')], denied: [] }, 'v1.0/state/:store')).toBe(true)
})
