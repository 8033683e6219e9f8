import type { RuntimeOptions } from './options.ts'

// What holds for options wherever they come from: command line or program.

export const modes = ['standalone', 'kubernetes'] as const
export const appProtocols = ['http', 'https', 'h2c', 'grpc', 'grpcs'] as const
export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export const initEndpoints = ['config', 'subscribe'] as const

export type Checked =
  | 'appId'
  | 'mode'
  | 'resourcesPaths'
  | 'httpPort'
  | 'grpcPort'
  | 'appPort'
  | 'appHealth.timeoutMs'
  | 'appHealth.intervalMs'
  | 'memoryLimitBytes'

/** Less than a sidecar takes before there is any work is a mistake. */
const leastMemoryBytes = 96 * 2 ** 20

/**
 * What types cannot say.
 * @param called how whoever gave an option knows it
 */
export function checkTogether(
  options: RuntimeOptions,
  called: (option: Checked) => string,
  errors: string[],
): void {
  const { appId, mode, httpPort, grpcPort, appPort, memoryLimitBytes } = options
  const { timeoutMs, intervalMs } = options.appHealth
  const id = `${called('appId')}=${appId}`
  if (appId === '')
    errors.push(`${called('appId')} is missing: every sidecar needs the name of its application`)
  if (appId.includes('.'))
    errors.push(`${id} has a dot, which parts an application from its namespace: use a dash`)
  if (/[\s/|]/.test(appId))
    errors.push(`${called('appId')}=${JSON.stringify(appId)} has a space, slash or bar: use a dash`)
  const same = (one: Checked, other: Checked, port: number): void =>
    void errors.push(`${called(one)} and ${called(other)} are both ${port}: change one`)
  if (httpPort === appPort) same('httpPort', 'appPort', httpPort)
  if (grpcPort === appPort) same('grpcPort', 'appPort', grpcPort)
  if (httpPort === grpcPort && httpPort !== 0) same('httpPort', 'grpcPort', httpPort)
  // It must not be ignored: somebody relies on it.
  if (mode === 'kubernetes')
    errors.push(
      `${called('mode')}=kubernetes is not built yet: use ${called('mode')}=standalone with ${called('resourcesPaths')}`,
    )
  if (timeoutMs > intervalMs)
    errors.push(
      `${called('appHealth.timeoutMs')} (${timeoutMs} ms) is longer than ${called('appHealth.intervalMs')} (${intervalMs} ms)`,
    )
  if (memoryLimitBytes !== undefined && memoryLimitBytes !== 0 && memoryLimitBytes < leastMemoryBytes)
    errors.push(
      `${called('memoryLimitBytes')}=${memoryLimitBytes} is less than a sidecar needs: give at least 96Mi (${leastMemoryBytes}), or 0 for no limit`,
    )
}
