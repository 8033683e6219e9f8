import type { ComponentContext, StateStore } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { failureOf, setup, stateDefinition, stateStore, yaml } from '../../test/support/loading.ts'
import { loadComponents, unloadComponents } from './load.ts'

describe('what a component gets', () => {
  test('its metadata, context and version', async () => {
    const contexts: ComponentContext<Record<string, string>>[] = []
    const definition = stateDefinition('state.test', [{ name: 'host' }], async (context) => {
      contexts.push(context)
      return stateStore()
    })
    const { options, clock, logger } = await setup(
      [yaml('a', 'State.Test', '  metadata:\n  - {name: Host, value: 007}\n')],
      {
        definitions: [definition],
      },
    )
    const { loaded, failures } = await loadComponents(options)
    expect(failures).toEqual([])
    expect(loaded).toMatchObject([
      { kind: 'state', version: 'v1', properties: { Host: '007' }, definition: { type: 'state.test' } },
    ])
    expect(contexts).toMatchObject([
      {
        name: 'a',
        type: 'state.test',
        version: 'v1',
        appId: 'app',
        namespace: 'ns',
        properties: { Host: '007' },
        baseDirectory: '/base',
      },
    ])
    expect(contexts[0]!.initSignal.aborted).toBe(false)
    expect(clock.pending).toBe(0)
    expect(logger.warnings()).toEqual([])
  })

  test('the version that the resource names', async () => {
    const { options } = await setup([yaml('a', 'state.test', '  version: v2\n')], {
      definitions: [stateDefinition('state.test', [])],
    })
    expect((await loadComponents(options)).loaded).toMatchObject([{ version: 'v2' }])
  })

  test('templates, each {uuid} a new one', async () => {
    const text = yaml(
      'a',
      'state.test',
      '  metadata:\n  - {name: host, value: "{uuid} {uuid} {podName} {namespace} {appID} {other}"}\n',
    )
    const { options } = await setup([text], {
      definitions: [stateDefinition('state.test', [{ name: 'host' }])],
      podName: 'pod',
    })
    expect((await loadComponents(options)).loaded[0]?.properties).toEqual({
      host: 'uuid-1 uuid-2 pod ns.app app {other}',
    })
  })

  test('variables, but none of the sidecar itself', async () => {
    const item = (name: string) => yaml('a', 'state.test', `  metadata:\n  - {name: host, envRef: ${name}}\n`)
    const load = async (name: string, env: Record<string, string>) => {
      const { options } = await setup([item(name)], {
        definitions: [stateDefinition('state.test', [{ name: 'host' }])],
        env,
      })
      return (await loadComponents(options)).loaded[0]?.properties['host']
    }
    expect(await load('HOST', { HOST: 'x' })).toBe('x')
    expect(await load('HOST', {})).toBe('')
    expect(await load('HOST', { HOST: 'x', DAPR_ENV_KEYS: 'A HOST' })).toBe('x')
    await expect(load('HOST', { HOST: 'S3CRET', DAPR_ENV_KEYS: 'A HOSTS' })).rejects.toThrow(
      '(inline):8: Component "a" (state.test): spec.metadata "host" has an envRef to HOST, which components may not read',
    )
    for (const name of ['DAPR_API_TOKEN', 'dapr_api_token', 'APP_API_TOKEN', 'A B']) {
      const error: unknown = await load(name, { [name]: 'S3CRET' }).catch((reason: unknown) => reason)
      expect(String(error)).toContain(`has an envRef to ${name}, which components may not read`)
      expect(String(error)).not.toContain('S3CRET')
    }
  })

  test.each([
    ['', { consumerID: 'app' }],
    ['  metadata:\n  - {name: consumerId, value: " "}\n', { consumerId: 'app' }],
    ['  metadata:\n  - {name: consumerID, value: mine}\n', { consumerID: 'mine' }],
  ])('a consumerID if it is a broker: %j', async (rest, properties) => {
    const broker = { ...stateDefinition('pubsub.test', []), contract: 'pubsub/1' }
    const { options, logger } = await setup([yaml('a', 'pubsub.test', rest)], { definitions: [broker] })
    expect((await loadComponents(options)).loaded[0]?.properties).toEqual(properties)
    expect(logger.warnings()).toEqual([])
  })

  test.each([
    ['middleware.http.wasm', true, '', { strictSandbox: 'true' }],
    ['middleware.http.wasm', true, '{name: StrictSandbox, value: "false"}', { StrictSandbox: 'true' }],
    ['middleware.http.wasm', false, '{name: strictSandbox, value: "false"}', { strictSandbox: 'false' }],
    ['middleware.http.test', true, '', {}],
  ])(
    '%s: the Configuration decides about its sandbox: %s %s',
    async (type, strictSandbox, item, properties) => {
      const rest = item === '' ? '' : `  metadata:\n  - ${item}\n`
      const middleware = {
        ...stateDefinition(type, [{ name: 'strictSandbox' }]),
        contract: 'middleware.http/1',
      }
      const { options } = await setup([yaml('a', type, rest)], { definitions: [middleware], strictSandbox })
      expect((await loadComponents(options)).loaded[0]?.properties).toEqual(properties)
    },
  )

  test('a warning for names that it does not know, and none for those of the runtime', async () => {
    const rest =
      '  metadata:\n  - {name: redisHots, value: x}\n  - {name: keyprefix, value: name}\n  - {name: old, value: 1}\n'
    const { options, logger } = await setup([yaml('a', 'state.test', rest)], {
      definitions: [
        stateDefinition('state.test', [{ name: 'redisHost' }, { name: 'old', deprecated: 'use redisHost' }]),
      ],
    })
    await loadComponents(options)
    expect(logger.warnings()).toEqual([
      '(inline):8: Component "a" (state.test): spec.metadata "redisHots" is not known to this component and has no effect (did you mean redisHost?)',
      '(inline):10: Component "a" (state.test): spec.metadata "old" is deprecated: use redisHost',
    ])
  })
})

describe('what goes wrong', () => {
  const definitions = [
    stateDefinition('state.test', [
      { name: 'host', required: true },
      { name: 'port', type: 'int' },
    ]),
  ]

  test.each([
    [
      yaml('a', 'state.none'),
      '1: Component "a" (state.none): spec.type state.none needs the package @outrigger/state-none, which is not installed: npm install @outrigger/state-none (looked for from /nowhere, the runtime itself)',
    ],
    [
      yaml('a', 'state.postgres'),
      '1: Component "a" (state.postgres): spec.type state.postgres needs the package @outrigger/state-postgresql, which is not installed: npm install @outrigger/state-postgresql (looked for from /nowhere, the runtime itself)',
    ],
    [
      yaml('a', 'state'),
      '1: Component "a" (state): spec.type "state" is no component type: write one such as state.redis',
    ],
    [yaml('a', '""'), '1: Component "a": spec.type is missing: name the component type, such as state.redis'],
    [
      yaml('a', 'state./../x'),
      '1: Component "a" (state./../x): spec.type "state./../x" is no component type: write one such as state.redis',
    ],
    [
      yaml('a', 'stat.redis'),
      '1: Component "a" (stat.redis): spec.type "stat.redis" begins with no known kind (did you mean state?): state., pubsub., bindings., secretstores., configuration., lock., crypto., middleware., nameresolution.',
    ],
    [
      yaml('a', 'conversation.echo'),
      '1: Component "a" (conversation.echo): spec.type conversation.echo is not built yet (conversation components): remove the component, or set spec.ignoreErrors: true to start without',
    ],
    [
      yaml('a', 'state.test', '  version: v3\n'),
      '1: Component "a" (state.test/v3): spec.version "v3" is not one that state.test has: v1, v2',
    ],
  ])('%#', async (text, line) => {
    expect(await failureOf([text], { definitions })).toEqual([`(inline):${line}`])
  })

  test('every issue of every component at once, each with its line', async () => {
    const texts = [
      yaml('a', 'state.test', '  metadata:\n  - {name: PORT, value: x}\n'),
      yaml('b', 'state.test', '  metadata:\n  - {name: host, value: "{podName}"}\n'),
      yaml('c', 'state.none'),
    ]
    expect(await failureOf(texts, { definitions })).toEqual([
      '(inline):1: Component "a" (state.test): spec.metadata "host" is required',
      '(inline):8: Component "a" (state.test): spec.metadata "PORT" must be a whole number, got x',
      '(inline):18: Component "b" (state.test): spec.metadata "host" has {podName}, and the variable POD_NAME is not set: set it, or write the name',
      expect.stringMatching(
        /^\(inline\):21: Component "c" \(state.none\): .* npm install @outrigger\/state-none /,
      ),
    ])
  })

  test('a contract that is not spoken here', async () => {
    const newer = { ...stateDefinition('state.test', []), contract: 'state/2' }
    const other = { ...stateDefinition('state.test', []), contract: 'lock/1' }
    expect(await failureOf([yaml('a', 'state.test')], { definitions: [newer] })).toEqual([
      '(inline):1: Component "a" (state.test): the given definition speaks the contract "state/2" and this runtime "state/1": update @outrigger/runtime, or install an older version of the package',
    ])
    expect(await failureOf([yaml('a', 'state.test')], { definitions: [other] })).toEqual([
      '(inline):1: Component "a" (state.test): the given definition speaks the contract "lock/1" and this runtime "state/1": install another version of the package',
    ])
  })

  test('ignoreErrors turns a failure into a warning', async () => {
    const { options, logger } = await setup(
      [yaml('a', 'state.none', '  ignoreErrors: true\n'), yaml('b', 'state.ok')],
      {
        definitions: [stateDefinition('state.ok', [])],
      },
    )
    const { loaded, failures } = await loadComponents(options)
    expect(loaded.map(({ resource }) => resource.name)).toEqual(['b'])
    expect(failures).toMatchObject([{ ignored: true, resource: { name: 'a' } }])
    expect(logger.warnings()).toEqual([
      expect.stringMatching(/npm install .*\(spec.ignoreErrors is set: the runtime starts without it\)$/),
    ])
  })

  test('a denied type is left out with a warning', async () => {
    const ok = [stateDefinition('state.ok', [])]
    const texts = [yaml('a', 'state.ok'), yaml('b', 'state.ok', '  version: v2\n')]
    const names = async (denied: string) => {
      const { options } = await setup(texts, { definitions: ok, denied: [denied] })
      return (await loadComponents(options)).loaded.map(({ resource }) => resource.name)
    }
    expect(await names('state.ok')).toEqual([])
    expect(await names('state.ok/v1')).toEqual(['b'])
    expect(await names('state.other')).toEqual(['a', 'b'])
  })

  test('what was created is closed in reverse when another one fails', async () => {
    const closed: string[] = []
    const definition = stateDefinition('state.ok', [], async ({ name }) =>
      stateStore(async () => void closed.push(name)),
    )
    await failureOf([yaml('a', 'state.ok'), yaml('b', 'state.ok'), yaml('c', 'state.none')], {
      definitions: [definition],
    })
    expect(closed).toEqual(['b', 'a'])
  })
})

describe('time', () => {
  test('a start that hangs is given up after initTimeout, and closed if it comes after all', async () => {
    const late = Promise.withResolvers<StateStore>()
    const closed = Promise.withResolvers<void>()
    const signals: AbortSignal[] = []
    const definition = stateDefinition('state.slow', [], ({ initSignal }) => {
      signals.push(initSignal)
      return late.promise
    })
    const { options, clock } = await setup([yaml('a', 'state.slow', '  initTimeout: 2s\n')], {
      definitions: [definition],
    })
    const loading = loadComponents(options)
    await expect.poll(() => signals.length).toBe(1)
    clock.advance(1999)
    expect(signals[0]!.aborted).toBe(false)
    clock.advance(1)
    await expect(loading).rejects.toThrow(
      '(inline):1: Component "a" (state.slow): is not ready after 2000 ms: check that its service can be reached, or raise spec.initTimeout',
    )
    expect(signals[0]!.aborted).toBe(true)
    late.resolve(stateStore(async () => closed.resolve()))
    await closed.promise
  })

  test('the end of the runtime ends the start, and closes what is there', async () => {
    const closed: string[] = []
    const started = Promise.withResolvers<void>()
    const slow = stateDefinition('state.slow', [], () => {
      started.resolve()
      return new Promise(() => {})
    })
    const fast = stateDefinition('state.fast', [], async () =>
      stateStore(async () => void closed.push('fast')),
    )
    const controller = new AbortController()
    const { options, logger } = await setup([yaml('a', 'state.fast'), yaml('b', 'state.slow')], {
      definitions: [slow, fast],
      signal: controller.signal,
    })
    const loading = loadComponents(options)
    await started.promise
    await expect.poll(() => logger.lines).toContain('info component loaded: a (state.fast/v1)')
    controller.abort(new Error('the end'))
    await expect(loading).rejects.toThrow('the end')
    expect(closed).toEqual(['fast'])
  })

  test('components of one stage start side by side', async () => {
    const both = Promise.withResolvers<void>()
    let running = 0
    const definition = stateDefinition('state.pair', [], async () => {
      if (++running === 2) both.resolve()
      await both.promise
      return stateStore()
    })
    const { options } = await setup([yaml('a', 'state.pair'), yaml('b', 'state.pair')], {
      definitions: [definition],
    })
    expect((await loadComponents(options)).loaded).toHaveLength(2)
  })
})

test('unloading closes in reverse and logs what fails', async () => {
  const closed: string[] = []
  const definition = stateDefinition('state.ok', [], async ({ name }) =>
    stateStore(async () => {
      closed.push(name)
      if (name === 'b') throw new Error('still busy')
    }),
  )
  const { options, logger } = await setup(
    [yaml('a', 'state.ok'), yaml('b', 'state.ok'), yaml('c', 'state.ok')],
    {
      definitions: [definition],
    },
  )
  const { loaded } = await loadComponents(options)
  await unloadComponents(loaded, options)
  expect(closed).toEqual(['c', 'b', 'a'])
  expect(logger.lines).toContain('error Component "b" (state.ok) was not closed properly: still busy')
})
