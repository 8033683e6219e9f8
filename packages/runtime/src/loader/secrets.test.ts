import { ComponentError } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import {
  type Create,
  failureOf,
  secretDefinition,
  setup,
  stateDefinition,
  stateStore,
  yaml,
} from '../../test/support/loading.ts'
import { loadComponents, unloadComponents } from './load.ts'

describe('secrets', () => {
  const reference = (store: string, secret: string, key = '') =>
    `  metadata:\n  - name: password\n    secretKeyRef: {name: ${secret}${key === '' ? '' : `, key: ${key}`}}\nauth: {secretStore: ${store}}\n`
  const definitions = (secrets: Record<string, Record<string, string>>, seen: string[] = []) => [
    secretDefinition(secrets, seen),
    stateDefinition('state.test', [{ name: 'password', type: 'int' }]),
  ]

  test('stores come first, each after the one that it needs', async () => {
    const seen: string[] = []
    const token = (store: string) =>
      `  metadata:\n  - name: token\n    secretKeyRef: {name: t, key: k}\nauth: {secretStore: ${store}}\n`
    const { options } = await setup(
      [
        yaml('a', 'state.test', reference('s3', 'p', 'k')),
        yaml('s3', 'secretstores.test', token('s2')),
        yaml('s2', 'secretstores.test', token('s1')),
        yaml('s1', 'secretstores.test'),
      ],
      { definitions: definitions({ p: { k: '42' }, t: { k: '7' } }, seen) },
    )
    const { loaded } = await loadComponents(options)
    expect(seen).toEqual(['create s1 ', 'get t', 'create s2 7', 'get t', 'create s3 7', 'get p'])
    expect(loaded.map(({ resource }) => resource.name)).toEqual(['s1', 's2', 's3', 'a'])
    expect(loaded[3]?.properties).toEqual({ password: '42' })
  })

  test('the key is the name of the secret by default, and one secret is asked for once', async () => {
    const seen: string[] = []
    const rest =
      '  metadata:\n  - {name: password, secretKeyRef: {name: p}}\n  - {name: user, secretKeyRef: {name: p, key: u}}\nauth: {secretStore: s}\n'
    const { options } = await setup([yaml('s', 'secretstores.test'), yaml('a', 'state.test', rest)], {
      definitions: definitions({ p: { p: '1', u: '2' } }, seen),
    })
    expect((await loadComponents(options)).loaded[1]?.properties).toEqual({ password: '1', user: '2' })
    expect(seen.filter((line) => line === 'get p')).toHaveLength(1)
  })

  test.each([
    [
      reference('none', 'p'),
      '8: Component "a" (state.test): spec.metadata "password" needs the secret "p", and the secret store "none" is not among the resources: add it, or correct auth.secretStore',
    ],
    [
      reference('a', 'p'),
      '8: Component "a" (state.test): spec.metadata "password" needs the secret "p", and the secret store "a" is a state.test: correct auth.secretStore',
    ],
    [
      reference('s', 'none'),
      '8: Component "a" (state.test): spec.metadata "password" needs the secret "none", which the secret store "s" does not have: add it there, or correct secretKeyRef.name',
    ],
    [
      reference('s', 'p', 'x'),
      '8: Component "a" (state.test): spec.metadata "password" needs the secret "p", which has no key "x" in the secret store "s": correct secretKeyRef.key (it has p, q)',
    ],
    [
      reference('s', 'broken'),
      '8: Component "a" (state.test): spec.metadata "password" needs the secret "broken", and the secret store "s" fails to give it (PERMISSION_DENIED)',
    ],
    [
      reference('s', 'p').replace(/auth.*/, ''),
      '8: Component "a" (state.test): spec.metadata "password" has a secretKeyRef, and auth.secretStore is missing: name the secret store component there',
    ],
    [
      reference('s', 'p'),
      '8: Component "a" (state.test): spec.metadata "password" does not fit: it must be a whole number',
    ],
  ])('%#', async (rest, line) => {
    const lines = await failureOf([yaml('a', 'state.test', rest), yaml('s', 'secretstores.test')], {
      definitions: definitions({ p: { p: 'S3CRET', q: 'S3CRET' } }),
    })
    expect(lines).toEqual([`(inline):${line}`])
  })

  test('stores that need each other', async () => {
    const rest = (store: string) =>
      `  metadata:\n  - name: token\n    secretKeyRef: {name: t}\nauth: {secretStore: ${store}}\n`
    const lines = await failureOf(
      [yaml('x', 'secretstores.test', rest('y')), yaml('y', 'secretstores.test', rest('x'))],
      {
        definitions: definitions({}),
      },
    )
    expect(lines).toEqual([
      expect.stringContaining('auth.secretStore goes round in a circle ("x" -> "y" -> "x")'),
      expect.stringContaining('auth.secretStore goes round in a circle ("y" -> "x" -> "y")'),
    ])
  })

  test('no message and no log line ever shows one', async () => {
    const secret = 'S3CR"ET/x'
    const values = [
      `{name: f, value: '${secret}'}`,
      '{name: f, secretKeyRef: {name: p}}',
      '{name: f, envRef: SECRET}',
    ]
    const creates: Create[] = [
      async ({ metadata }) => {
        throw new Error(
          `cannot reach redis://user:${encodeURIComponent(metadata['f']!)}@host and ${JSON.stringify(metadata)}`,
        )
      },
      async ({ metadata }) => {
        throw new ComponentError('UNAUTHENTICATED', `wrong password ${metadata['f']}`)
      },
      async ({ metadata }) => stateStore(() => Promise.reject(new Error(`closing ${metadata['f']}`))),
    ]
    for (const value of values) {
      for (const type of ['string', 'int'] as const) {
        for (const create of creates) {
          const { options, logger } = await setup(
            [
              yaml('s', 'secretstores.test'),
              yaml('a', 'state.test', `  metadata:\n  - ${value}\nauth: {secretStore: s}\n`),
            ],
            {
              definitions: [
                secretDefinition({ p: { p: secret } }),
                stateDefinition(
                  'state.test',
                  [{ name: 'f', type, sensitive: true, deprecated: 'do not' }],
                  create,
                ),
              ],
              env: { SECRET: secret },
            },
          )
          const outcome = await loadComponents(options).then(
            ({ loaded }) => unloadComponents(loaded, options),
            (error: unknown) => logger.error((error as Error).message),
          )
          expect(outcome).toBeUndefined()
          const all = logger.lines.join('\n')
          expect(all).toContain('Component "a"')
          expect(all).not.toContain('S3CR')
        }
      }
    }
  })
})
