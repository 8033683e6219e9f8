import { describe, expect, test } from 'vitest'
import type { AccessControl, AppPolicy } from '../config/access-control.ts'
import { accessControl } from './access-control.ts'

const app1 = { trustDomain: 'public', namespace: 'default', appId: 'app1' }

function allows(
  access: Partial<AccessControl>,
  caller: typeof app1 | undefined,
  method: string,
  verb: string,
  overHttp = true,
): boolean {
  const authorize = accessControl(
    { defaultAction: 'deny', trustDomain: 'public', policies: [], ...access },
    'callee',
    overHttp,
  )
  try {
    authorize(caller, method, verb)
    return true
  } catch (error) {
    expect(error).toMatchObject({
      code: 7,
      message: expect.stringContaining('access control policy has denied'),
    })
    return false
  }
}

const policy = (
  operations: AppPolicy['operations'],
  defaultAction?: AppPolicy['defaultAction'],
): AppPolicy => ({
  appId: 'app1',
  namespace: 'default',
  trustDomain: 'public',
  defaultAction,
  operations,
})

describe('the scenarios of the documentation', () => {
  const op1 = { name: '/op1', verbs: ['*'], action: 'allow' } as const

  test('everything is denied but what is listed', () => {
    const access = { policies: [policy([op1])] }
    expect(allows(access, app1, 'op1', 'GET')).toBe(true)
    expect(allows(access, app1, 'op2', 'GET')).toBe(false)
    expect(allows(access, { ...app1, appId: 'app2' }, 'op1', 'GET')).toBe(false)
    expect(allows(access, undefined, 'op1', 'GET')).toBe(false)
  })

  test('only one trust domain', () => {
    const access = { policies: [policy([], 'allow')] }
    expect(allows(access, app1, 'any', 'GET')).toBe(true)
    expect(allows(access, { ...app1, trustDomain: 'other' }, 'any', 'GET')).toBe(false)
    expect(allows(access, { ...app1, namespace: 'other' }, 'any', 'GET')).toBe(false)
  })

  test('verbs of an operation', () => {
    const rules = [
      { name: '/op1', verbs: ['POST', 'GET'], action: 'allow' },
      { name: '/op2/*', verbs: ['*'], action: 'deny' },
    ] as const
    const access = { policies: [policy(rules, 'allow')] }
    expect(allows(access, app1, 'op1', 'POST')).toBe(true)
    expect(allows({ policies: [policy(rules, 'deny')] }, app1, 'op1', 'PUT')).toBe(false)
    expect(allows(access, app1, 'op2/x', 'GET')).toBe(false)
    expect(allows(access, app1, 'op3', 'GET')).toBe(true)
  })

  test('an application over gRPC has no verbs, and its methods have their case', () => {
    const access = { policies: [policy([{ name: '/pkg.Service/Do', verbs: [], action: 'allow' }])] }
    expect(allows(access, app1, '/pkg.Service/Do', '', false)).toBe(true)
    expect(allows(access, app1, '/pkg.Service/do', '', false)).toBe(false)
  })

  test('without policies the default decides', () => {
    expect(allows({ defaultAction: 'allow' }, undefined, 'any', 'GET')).toBe(true)
    expect(allows({ defaultAction: 'deny' }, app1, 'any', 'GET')).toBe(false)
  })
})

describe('names of operations', () => {
  const matches = (name: string, method: string): boolean =>
    allows({ policies: [policy([{ name, verbs: ['*'], action: 'allow' }])] }, app1, method, 'GET')

  test.each([
    ['op1', 'op1', true],
    ['/op1', 'OP1', true],
    ['/op1', 'op1/x', true],
    ['/op1/*', 'op1', true],
    ['/op1/*', 'op1/x', true],
    ['/op1/*', 'op1/x/y', false],
    ['/op1/**', 'op1/x/y', true],
    ['/op1/a*c', 'op1/abbc', true],
    ['/op1/a*c', 'op1/abbd', false],
    ['/a.b', 'axb', false],
    ['/op1', 'x', false],
    // What stands for the same path is the same operation.
    ['/op1/secret', 'op1/%73ecret', true],
    ['/op1/secret', 'op1//./a/../secret', true],
  ])('%s and %s: %s', (name, method, expected) => {
    expect(matches(name, method)).toBe(expected)
  })

  test('a denial cannot be got around by another spelling', () => {
    const access = {
      defaultAction: 'allow',
      policies: [policy([{ name: '/admin/**', verbs: ['*'], action: 'deny' }], 'allow')],
    } as const
    for (const method of ['admin/x', 'Admin/x', '%61dmin/x', 'a/../admin/x', '//admin//x', './admin/x'])
      expect([method, allows(access, app1, method, 'GET')]).toEqual([method, false])
  })
})
