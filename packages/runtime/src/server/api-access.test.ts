import { expect, test } from 'vitest'
import type { ApiRule } from '../config/configuration.ts'
import { allows, idleRules } from './api-access.ts'

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

test('rules that decide about nothing are found', () => {
  const paths = ['v1.0/state/:store', 'v1.0-alpha1/lock/*', 'v1.0/invoke/*']
  const fine = [
    rule('State'),
    rule('lock', 'v1.0-alpha1'),
    rule('subscribe'),
    rule('unlock', 'v1alpha1', 'grpc'),
  ]
  const idle = [
    rule('statee'),
    rule('lock', 'v1.0'),
    rule('state', 'v2', 'http'),
    rule('subscribe', undefined, 'http'),
    rule('unlock', 'v1', 'grpc'),
  ]
  expect(idleRules({ allowed: fine, denied: [] }, paths)).toEqual([])
  expect(idleRules({ allowed: [fine[0]!], denied: [...fine, ...idle] }, paths)).toEqual(idle)
  expect(idleRules({ allowed: idle, denied: fine }, paths)).toEqual(idle)
})

test('a list for gRPC holds for gRPC, whichever way its version is written', () => {
  const access = { allowed: [], denied: [rule('state', 'v1', 'grpc'), rule('lock', 'v1.0-alpha1')] }
  expect(allows(access, 'v1/state', 'grpc')).toBe(false)
  expect(allows(access, 'v1alpha1/lock', 'grpc')).toBe(false)
  expect(allows(access, 'v1/secrets', 'grpc')).toBe(true)
  expect(allows(access, 'v1.0/state', 'http')).toBe(true)
})
