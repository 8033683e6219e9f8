import { describe, expect, test } from 'vitest'
import { createRuntime, StartupError, type CreateRuntimeOptions } from '../index.ts'
import { checkedOptions } from './given.ts'
import { runtimeOptions } from './options.ts'

/** As a program in JavaScript gives them. */
function errorsOf(options: unknown): readonly string[] {
  try {
    createRuntime(options as CreateRuntimeOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError)
    return (error as StartupError).lines.map((line) => line.replace(/^createRuntime: /, ''))
  }
  return []
}
const linesOf = (options: object): readonly string[] => errorsOf({ appId: 'a', ...options })

describe('names that nobody knows', () => {
  test.each([
    ['appPrt', 'appPort'],
    ['app-port', 'appPort'],
    ['resourcesPath', 'resourcesPaths'],
    ['ressources', 'resources'],
    ['daprHttpPort', 'httpPort'],
    ['maxbodybytes', 'maxBodyBytes'],
  ])('%s: did you mean %s?', (name, meant) => {
    expect(linesOf({ [name]: 1 })).toEqual([`${name} is no option; did you mean ${meant}?`])
  })

  test('in a group', () => {
    expect(linesOf({ appHealth: { enabld: true } })).toEqual([
      'appHealth.enabld is no option; did you mean appHealth.enabled?',
    ])
  })

  test.each(['whatever', 'warnings', 'toString', '__proto__x'])('%s: all there are', (name) => {
    const [line] = linesOf({ [name]: 1 })
    expect(line).toMatch(
      new RegExp(`^${name} is no option; (it can be appId, .*, onShutdownRequest|did you mean)`),
    )
  })
})

describe('values that cannot be', () => {
  test.each<[object, string]>([
    [{ appId: 5 }, 'appId is 5; it must be a text that is not empty'],
    [{ appId: undefined }, 'appId is missing: every runtime needs the name of its application'],
    [{ appPort: '6000' }, 'appPort is "6000"; it must be a port from 1 to 65535'],
    [{ httpPort: 65_536 }, 'httpPort is 65536; it must be a port from 0 to 65535'],
    [{ httpPort: Number.NaN }, 'httpPort is NaN; it must be a port from 0 to 65535'],
    [{ appProtocol: 'HTTP' }, 'appProtocol is "HTTP"; it must be one of http, https, h2c, grpc, grpcs'],
    [{ appMaxConcurrency: 0 }, 'appMaxConcurrency is 0; it must be a whole number from 1'],
    [{ listen: 'yes' }, 'listen is "yes"; it must be true or false'],
    [{ listen: null }, 'listen is null; it must be true or false'],
    [{ gracefulShutdownMs: -1 }, 'gracefulShutdownMs is -1; it must be a number of milliseconds, 0 or more'],
    [{ listenAddresses: '127.0.0.1' }, 'listenAddresses is "127.0.0.1"; it must be a list of texts'],
    [{ resourcesPaths: ['a', 5] }, 'resourcesPaths is a list with 5; it must be a list of texts'],
    [{ app: {} }, 'app is an object; it must be a function'],
    [
      { mtls: true },
      expect.stringMatching(/^mtls is true; it must be an object with enabled, sentryAddress/),
    ],
    [{ mtls: { jwtAudiences: 'x' } }, 'mtls.jwtAudiences is "x"; it must be a list of texts'],
    [
      { logger: { info() {} } },
      'logger is an object; it must be an object with the methods debug, info, warn, error',
    ],
    [
      { compat: 'early' },
      'compat is "early"; it must be a Set of early-publish, early-subscriptions, early-bindings, early-retries',
    ],
    [
      { disableInitEndpoints: ['config', 'x'] },
      'disableInitEndpoints is a list with "x"; it must be a list of config, subscribe',
    ],
    [
      { logLevel: 'y'.repeat(100) },
      expect.stringMatching(/^logLevel is "y{79}\.\.\.; it must be one of debug/),
    ],
  ])('%o', (options, line) => expect(linesOf(options)).toEqual([line]))

  test.each([
    [{ apiToken: 12_345 }],
    [{ appApiToken: ['12345'] }],
    [{ env: { TOKEN: 12_345 } }],
    [{ env: '12345' }],
    [{ resources: 'password: 12345' }],
    [{ resources: [12_345] }],
    [{ definitions: [{ type: '12345' }, '12345'.length] }],
  ])('%o, without what may be a secret', (options) => {
    const lines = linesOf(options)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('12345')
    expect(lines[0]).toContain(Object.keys(options)[0])
  })

  test('what types cannot say is checked as for flags', () => {
    expect(linesOf({ appId: 'a.b' })[0]).toBe(
      'appId=a.b has a dot, which parts an application from its namespace: use a dash',
    )
    expect(linesOf({ mode: 'kubernetes' })[0]).toBe(
      'mode=kubernetes is not built yet: use mode=standalone with resourcesPaths',
    )
    expect(linesOf({ appHealth: { timeoutMs: 9000 } })[0]).toBe(
      'appHealth.timeoutMs (9000 ms) is longer than appHealth.intervalMs (5000 ms)',
    )
    expect(linesOf({ memoryLimitBytes: 1 })[0]).toMatch(/^memoryLimitBytes=1 is less than a sidecar needs/)
    expect(linesOf({ appPort: 3500, listen: true })[0]).toBe('httpPort and appPort are both 3500: change one')
    expect(linesOf({ appPort: 3500 })).toEqual([])
  })

  test('all of it at once', () => {
    expect(linesOf({ a: 1, appPort: 0, listen: 1 })).toHaveLength(3)
    expect(errorsOf(undefined)).toEqual(['the options must be an object with an appId'])
    expect(errorsOf('a')).toEqual(['the options must be an object with an appId'])
  })
})

describe('what is not given', () => {
  test('has the default that it has as a flag', () => {
    expect(checkedOptions({ appId: 'a' })).toEqual(runtimeOptions({ 'app-id': 'a' }, {}))
    expect(checkedOptions({ appId: 'a', appPort: undefined, mtls: undefined } as never)).toEqual(
      runtimeOptions({ 'app-id': 'a' }, {}),
    )
  })

  test('in a group too', () => {
    const options = checkedOptions({ appId: 'a', appHealth: { enabled: true }, metrics: { port: 9091 } })
    expect(options).toMatchObject({
      appHealth: { enabled: true, path: '/healthz', intervalMs: 5000, timeoutMs: 500, threshold: 3 },
      metrics: { enabled: true, port: 9091, portGiven: true, listenAddress: '0.0.0.0' },
    })
    expect(checkedOptions({ appId: 'a', metrics: { enabled: false } }).metrics.portGiven).toBe(false)
  })

  test('what every option of flags becomes is accepted', () => {
    const { warnings: _, ...options } = runtimeOptions(
      {
        'app-id': 'a',
        'app-port': 1,
        'app-protocol': 'h2c',
        'app-max-concurrency': 3,
        'disable-init-endpoints': 'config',
        'dapr-public-port': 2,
        'dapr-listen-addresses': '127.0.0.1',
        'unix-domain-socket': '/run',
        'allowed-origins': '*',
        'enable-api-logging': true,
        'resources-path': 'r',
        compat: 'early',
        'memory-limit': '128Mi',
        'log-file': 'f',
        'dapr-block-shutdown-duration': '1s',
      },
      { NAMESPACE: 'n', POD_NAME: 'p', DAPR_API_TOKEN: 't', APP_API_TOKEN: 'u', DAPR_HOST_IP: '::1' },
    )
    expect(checkedOptions(options as never)).toEqual({ ...options, warnings: [] })
  })
})
