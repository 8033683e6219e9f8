import { seededRandom } from '@outrigger/testkit'
import { describe, expect, test } from 'vitest'
import { methodName, pathOfMethod } from '../api/invoke/method-name.ts'
import type { AccessControl, AppPolicy } from '../config/access-control.ts'
import { accessControl } from './access-control.ts'

const app1 = { trustDomain: 'public', namespace: 'default', appId: 'app1' }

/** What paths are made of that somebody takes for another one. */
const pieces =
  'admin open Admin %61dmin adm%69n .. . %2e%2e .%2e / / / // %2f %2F %5c \\ ; ;a=b %3b x % %zz %ff %20 + %25 %252e'.split(
    ' ',
  )

/** The parts of a path, as kinds of servers take them. */
const servers: Readonly<Record<string, (path: string) => readonly string[]>> = {
  'that takes it as it is': (path) => resolved(path),
  'that unescapes first': (path) => resolved(unescapedText(path)),
  'that unescapes last': (path) => resolved(path).map(unescapedText),
  'that reads URLs as browsers do': (path) => resolved(new URL(`http://host${path}`).pathname),
  'that takes parameters off': (path) => resolved(unescapedText(bare(path))),
  'that takes parameters off, and backslashes for slashes': (path) =>
    resolved(unescapedText(bare(path)).replaceAll('\\', '/')),
  'that takes parameters off at last': (path) => resolved(bare(unescapedText(path))),
  'that takes backslashes for slashes': (path) => resolved(unescapedText(path).replaceAll('\\', '/')),
}

function resolved(path: string): string[] {
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') kept.pop()
    else if (part !== '' && part !== '.') kept.push(part)
  }
  return kept
}

function bare(path: string): string {
  return path.replaceAll(/;[^/]*/g, '')
}

function unescapedText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

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
    ['/op1/a*c', 'op1/ac', true],
    ['/op1/a*c', 'op1/a', false],
    ['/op1/ab*ba', 'op1/aba', false],
    ['/op1/a*b*c', 'op1/axbxbxc', true],
    ['/op1/a*b*c', 'op1/acb', false],
    ['/op1/*b*', 'op1/abc', true],
    ['/op1/**/a', 'op1/x/a', true],
    ['/op1/**/a', 'op1/x/b', false],
    ['/grün', 'gr%C3%BCn', true],
    ['/grün', 'grün', true],
    ['', '', true],
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
    const spellings = [
      'admin/x',
      'Admin/x',
      '%61dmin/x',
      'a/../admin/x',
      '//admin//x',
      './admin/x',
      'admin/x/',
    ]
    // To one application these are another path, to the next they are not.
    spellings.push(
      'a%2F..%2Fadmin/x',
      'a/%2e%2e/admin/x',
      'admin%2Fx',
      '%61dmin/%FF',
      'admin/a%2F..%2F..%2Fx',
    )
    // Parameters of a path (RFC 3986, section 3.3), which servlets take off, and backslashes, which IIS turns.
    spellings.push('admin;a=b/x', ';/admin/x', 'a/..;/admin/x', 'a;x/..;y=z/admin;/x', 'admin/x;a=b')
    spellings.push('a%5C..%5Cadmin/x', 'admin%5Cx', 'a/..%5cadmin%5cx')
    for (const method of spellings)
      expect([method, allows(access, app1, method, 'GET')]).toEqual([method, false])
  })

  test('a denial is found behind a pattern that fits as well and leads nowhere', () => {
    const rules = [
      { name: '/a*/b', verbs: ['*'], action: 'allow' },
      { name: '/**/c/d', verbs: ['*'], action: 'allow' },
      { name: '/admin/x', verbs: ['*'], action: 'deny' },
      { name: '/admin/**', verbs: ['GET'], action: 'deny' },
    ] as const
    const access = { defaultAction: 'allow', policies: [policy(rules, 'allow')] } as const
    expect(allows(access, app1, 'admin/b', 'GET')).toBe(true)
    expect(allows(access, app1, 'admin/x', 'GET')).toBe(false)
    expect(allows(access, app1, 'admin/y/z', 'GET')).toBe(false)
    expect(allows(access, app1, 'other/y', 'GET')).toBe(true)
  })

  test('an escape in the name of an operation stands for what it stands for in a path', () => {
    const rules = [{ name: '/a%20b/c%2Fd', verbs: ['*'], action: 'deny' }] as const
    const access = { defaultAction: 'allow', policies: [policy(rules, 'allow')] } as const
    for (const method of ['a%20b/c%2fd', 'a b/c%2Fd', 'a%20%62/c%2Fd'])
      expect([method, allows(access, app1, method, 'GET')]).toEqual([method, false])
    expect(allows(access, app1, 'a%20c/c%2Fd', 'GET')).toBe(true)
  })

  test('nothing else can be reached by the name of what is allowed', () => {
    const access = { policies: [policy([{ name: '/open/**', verbs: ['*'], action: 'allow' }])] } as const
    expect(allows(access, app1, 'open/x', 'GET')).toBe(true)
    expect(allows(access, app1, 'open/x%2Fy', 'GET')).toBe(true)
    for (const method of [
      'secret/..%2Fopen/x',
      'secret/%2e%2e/open/x',
      'open/..%2Fsecret',
      'open/%2e%2e/secret',
      'open/..;/secret',
      'open/..;a=b/secret',
      'open;x/%2e%2e;/secret',
      'open/..%5Csecret',
    ])
      expect([method, allows(access, app1, method, 'GET')]).toEqual([method, false])
    expect(allows(access, app1, 'open/x;version=1', 'GET')).toBe(true)
  })

  test('no spelling is decided about as another path than servers take it for', () => {
    const random = seededRandom(11)
    const denying = {
      defaultAction: 'allow',
      policies: [policy([{ name: '/admin/**', verbs: ['*'], action: 'deny' }], 'allow')],
    } as const
    const allowing = {
      policies: [policy([{ name: '/open/**', verbs: ['*'], action: 'allow' }], 'deny')],
    } as const
    const holes: string[] = []
    for (let round = 0; round < 5_000; round++) {
      const count = 1 + Math.floor(random.next() * 8)
      const method = Array.from(
        { length: count },
        () => pieces[Math.floor(random.next() * pieces.length)],
      ).join('')
      const passes = [denying, allowing].map((access) => allows(access, app1, method, 'GET'))
      const path = pathOfMethod(methodName('callee', method))
      for (const [server, seen] of Object.entries(servers)) {
        const first = seen(path)[0]?.toLowerCase()
        const wrong = (passes[0] && first === 'admin') || (passes[1] && first !== 'open')
        if (wrong) holes.push(`${method}: ${path} to a server ${server}`)
      }
    }
    expect(holes).toEqual([])
  })

  test('what cannot be a path is refused, whatever is allowed', () => {
    const authorize = accessControl(
      { defaultAction: 'allow', trustDomain: 'public', policies: [] },
      'a',
      true,
    )
    for (const method of ['a%3Fb', 'a%23b', 'a%00b', 'a\nb'])
      expect(() => authorize(app1, method, 'GET')).toThrow('invalid method')
  })

  test('a long name takes no time', () => {
    const rules = [{ name: '/a*a*a*a*a*b', verbs: ['*'], action: 'allow' }] as const
    expect(allows({ policies: [policy(rules)] }, app1, 'a'.repeat(100_000), 'GET')).toBe(false)
  })
})

describe('what a policy leaves open', () => {
  const op1 = { name: '/op1', verbs: ['GET'], action: 'allow' } as const

  test('another verb: the default of the application, or of all', () => {
    expect(allows({ policies: [policy([op1])] }, app1, 'op1', 'PUT')).toBe(false)
    expect(allows({ policies: [policy([op1], 'allow')] }, app1, 'op1', 'PUT')).toBe(true)
    expect(allows({ defaultAction: 'allow', policies: [policy([op1])] }, app1, 'op1', 'PUT')).toBe(true)
  })

  test('no verb: the default of the application, and nothing else', () => {
    expect(allows({ defaultAction: 'allow', policies: [policy([op1])] }, app1, 'op1', '')).toBe(false)
    expect(allows({ policies: [policy([op1], 'allow')] }, app1, 'op1', '')).toBe(true)
  })

  test('an operation that is there twice: the first one counts', () => {
    const rules = [op1, { ...op1, action: 'deny' }] as const
    expect(allows({ policies: [policy(rules)] }, app1, 'op1', 'GET')).toBe(true)
  })

  test('who is denied is named, with the operation and the verb', () => {
    const authorize = accessControl({ defaultAction: 'deny', trustDomain: 'public', policies: [] }, 'a', true)
    const id = 'spiffe://public/ns/default/app1'
    expect(() => authorize(app1, '/Op1/x', 'GET')).toThrow(
      `access control policy has denied access to id: ${id} operation: Op1/x verb: GET`,
    )
    expect(() => authorize(undefined, 'op1', '')).toThrow('to id: unknown operation: op1 verb: NONE')
    expect(() => authorize(app1, 'x'.repeat(10_000), '')).toThrow(/operation: x{500} verb/)
  })
})
