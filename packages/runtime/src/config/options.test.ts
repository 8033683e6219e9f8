import { splitArguments } from '@outrigger/host'
import { describe, expect, test } from 'vitest'
import { flags } from './flags.ts'
import { type FlagInput, runtimeOptions } from './options.ts'
import { StartupError } from './startup-error.ts'

function errorsOf(input: FlagInput): readonly string[] {
  try {
    runtimeOptions({ 'app-id': 'a', ...input }, {})
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError)
    return (error as StartupError).lines
  }
  return []
}

describe('flags', () => {
  test('all 58 of daprd and three of our own, each once', () => {
    const names = flags.map(({ name }) => name)
    const own = new Set(['modules-path', 'compat', 'memory-limit'])
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !own.has(name))).toHaveLength(58)
  })

  test('a command line as a launcher writes it', () => {
    const argv = [
      '-app-id=orders',
      '--app-port',
      '6000',
      '--app-max-concurrency',
      '-1',
      '--log-as-json=true',
      '--resources-path',
      'a,b',
      '--resources-path=c',
      '--metrics-port=0',
      '--placement-host-address',
      'localhost:50005',
    ]
    const { given, problems } = splitArguments(flags, argv)
    expect(problems).toEqual([])
    expect(runtimeOptions(given, {})).toMatchObject({
      appId: 'orders',
      appPort: 6000,
      appMaxConcurrency: undefined,
      logAsJson: true,
      resourcesPaths: ['a', 'b', 'c'],
      warnings: ['without effect, as what they are for is not built yet: --placement-host-address (actors)'],
    })
  })

  test('defaults', () => {
    expect(runtimeOptions({ 'app-id': 'a' }, {})).toMatchObject({
      httpPort: 3500,
      grpcPort: 50_001,
      publicPort: undefined,
      appPort: undefined,
      appProtocol: 'http',
      appChannelAddress: '127.0.0.1',
      appHealth: { enabled: false, path: '/healthz', intervalMs: 5000, timeoutMs: 500, threshold: 3 },
      maxBodyBytes: 4_194_304,
      readBufferBytes: 4096,
      enableApiLogging: undefined,
      blockShutdownMs: undefined,
      gracefulShutdownMs: 5000,
      namespace: 'default',
      resourceNamespace: undefined,
      apiToken: undefined,
      listenAddresses: [],
      allowedOrigins: [],
      warnings: [],
    })
  })

  test('what the environment says', () => {
    const env = {
      NAMESPACE: 'ns',
      POD_NAME: 'p',
      DAPR_API_TOKEN: 't',
      APP_API_TOKEN: 'u',
      DAPR_HOST_IP: '10.0.0.1',
    }
    expect(runtimeOptions({ 'app-id': 'a' }, env)).toMatchObject({
      namespace: 'ns',
      resourceNamespace: 'ns',
      podName: 'p',
      apiToken: 't',
      appApiToken: 'u',
      hostAddress: '10.0.0.1',
    })
  })

  test.each<[FlagInput, object]>([
    [{ 'max-body-size': '1Ki' }, { maxBodyBytes: 1024 }],
    [{ 'dapr-http-max-request-size': 2 }, { maxBodyBytes: 2 * 2 ** 20 }],
    [{ 'dapr-http-max-request-size': 2, 'max-body-size': '1Mi' }, { maxBodyBytes: 2 ** 20 }],
    [{ 'dapr-http-max-request-size': -1 }, { maxBodyBytes: 4 * 2 ** 20 }],
    [{ 'dapr-http-read-buffer-size': 8 }, { readBufferBytes: 8192 }],
    [{ 'app-ssl': true }, { appProtocol: 'https' }],
    [{ 'app-ssl': true, 'app-protocol': 'GRPC' }, { appProtocol: 'grpcs' }],
    [{ 'components-path': 'c' }, { resourcesPaths: ['c'] }],
    [{ 'components-path': 'c', 'resources-path': 'r' }, { resourcesPaths: ['r'] }],
    [{ 'enable-api-logging': false }, { enableApiLogging: false }],
    [{ 'dapr-block-shutdown-duration': '1m' }, { blockShutdownMs: 60_000 }],
    [
      { 'dapr-http-port': 0, 'dapr-grpc-port': 0 },
      { httpPort: 0, grpcPort: 0 },
    ],
    [{ 'app-port': '' }, { appPort: undefined }],
    [
      { 'app-health-threshold': 0, 'app-health-probe-interval': -1 },
      { appHealth: { threshold: 3, intervalMs: 5000 } },
    ],
    [{ 'disable-init-endpoints': 'Config,subscribe' }, { disableInitEndpoints: ['config', 'subscribe'] }],
  ])('%j', (input, expected) => {
    expect(runtimeOptions({ 'app-id': 'a', ...input }, {})).toMatchObject(expected)
  })
})

describe('what is wrong', () => {
  test.each<[FlagInput, string]>([
    [{ 'app-id': '' }, '--app-id is missing: every sidecar needs the name of its application'],
    [
      { 'app-id': 'a.b' },
      '--app-id=a.b has a dot, which parts an application from its namespace: use a dash',
    ],
    [{ 'dapr-http-port': 70_000 }, '--dapr-http-port=70000 is not a port from 0 to 65535'],
    [{ 'app-port': 3500 }, '--dapr-http-port and --app-port are both 3500: change one'],
    [{ 'dapr-grpc-port': 3500 }, '--dapr-http-port and --dapr-grpc-port are both 3500: change one'],
    [{ 'app-protocol': 'ftp' }, '--app-protocol=ftp is not one of http, https, h2c, grpc, grpcs'],
    [{ 'dapr-http-port': '' }, '--dapr-http-port is empty: give a port, or leave the flag out'],
    [{ 'metrics-port': '' }, '--metrics-port is empty: give a port, or leave the flag out'],
    [
      { 'max-body-size': 0 },
      '--max-body-size=0 would let nothing through: leave it out, or give a size such as 4Mi',
    ],
    [
      { 'dapr-http-read-buffer-size': -2 },
      '--dapr-http-read-buffer-size=-2 is below zero: leave it out, or give a size such as 4Mi',
    ],
    [{ 'max-body-size': 'big' }, '--max-body-size=big is not a whole number of bytes such as 4Mi or 65536'],
    [
      { 'app-health-probe-timeout': 6000 },
      '--app-health-probe-timeout (6000 ms) is longer than --app-health-probe-interval (5000 ms)',
    ],
    [{ 'disable-init-endpoints': 'x' }, '--disable-init-endpoints=x is not one of config, subscribe'],
    [
      { mode: 'kubernetes' },
      '--mode=kubernetes is not built yet: use --mode=standalone with --resources-path',
    ],
    [{ 'app-prot': 1 }, '--app-prot is not known; did you mean --app-port?'],
  ])('%j', (input, line) => {
    expect(errorsOf(input)).toEqual([line])
  })

  test('all of it at once', () => {
    expect(errorsOf({ 'app-id': '', 'log-level': 'loud', compat: 'x' })).toHaveLength(3)
  })
})
