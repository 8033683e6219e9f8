/** The Outrigger sidecar as a library: the same building blocks, in your own process. */
import { hostname } from 'node:os'
import { createLog, streamSink, systemClock, type Flag } from '@outrigger/host'
import type { ComponentDefinition, Logger, Clock, Random } from '@outrigger/spec'
import type { InProcessApp } from './app/in-process-channel.ts'
import { flags } from './config/flags.ts'
import { checkedOptions, defined } from './config/given.ts'
import type { RuntimeOptions } from './config/options.ts'
import { RuntimeCore, type RuntimeApi } from './runtime.ts'
import { version } from './version.ts'

export type { InProcessApp, InProcessResponse } from './app/in-process-channel.ts'
export type { RuntimeOptions } from './config/options.ts'
export type { RuntimeApi } from './runtime.ts'
export { StartupError } from './config/startup-error.ts'
export type { SidecarMessage } from './parent.ts'
export { ApiError } from './api/api-error.ts'
export { errorTable, type ErrorId, type ErrorRow } from './api/errors.ts'
export { componentTypes, describeComponent, findComponent } from './loader/inspect.ts'
export { version }

/** The flags of `daprd`, as its parser, help and documentation read them. */
export const daprdFlags: readonly Flag[] = flags

/** Options that are objects: what is not given of them has its default. */
type Groups = 'appHealth' | 'mtls' | 'metrics' | 'profiling'

/** What `createRuntime` takes. Only `appId` is needed. */
export interface CreateRuntimeOptions extends Partial<Omit<RuntimeOptions, 'appId' | 'warnings' | Groups>> {
  readonly appId: string
  readonly appHealth?: Partial<RuntimeOptions['appHealth']>
  readonly mtls?: Partial<RuntimeOptions['mtls']>
  readonly metrics?: Partial<RuntimeOptions['metrics']>
  readonly profiling?: Partial<RuntimeOptions['profiling']>
  /** Resources as objects in the shape of the YAML, or YAML text; besides those of `resourcesPaths`. */
  readonly resources?: readonly unknown[]
  /** Component definitions that are imported already; other types are looked for as packages. */
  readonly definitions?: readonly ComponentDefinition[]
  /** The application, as a function from requests to responses; without it, one is reached at `appPort`, or there is none. */
  readonly app?: InProcessApp
  /** Whether to open the ports of the API; default false. */
  readonly listen?: boolean
  /** Default: warnings and errors as lines on standard output. */
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: Random
  /** What `envRef` and templates see; default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly onShutdownRequest?: (force: boolean) => void
}

export interface Runtime {
  readonly appId: string
  /** The operations of the building blocks; after `start`. */
  readonly api: RuntimeApi
  /** Where the API listens, when it does. */
  readonly addresses: RuntimeCore['addresses']
  /** Loads the components, opens the ports. @throws StartupError with everything that is wrong; nothing is left behind then. */
  start(): Promise<void>
  /** Resolves when the application is connected and messages flow. */
  ready(): Promise<void>
  /** What is not ready: `outbound` (components and API), `application`. Empty when everything is. */
  readonly unready: readonly string[]
  /**
   * Takes no more work, lets what is under way finish within `gracefulShutdownMs`, closes everything.
   * @returns whether everything ended in time and without error
   */
  stop(): Promise<boolean>
}

/** Makes a runtime in this process. It reads no environment, handles no signals and never exits. @throws StartupError with every option that is wrong */
export function createRuntime(options: CreateRuntimeOptions): Runtime {
  const checked = checkedOptions(options)
  const { appId } = checked
  const { resources, definitions, app, listen, logger, clock, random, env, onShutdownRequest } = options
  const core = new RuntimeCore(checked, {
    logger: logger ?? defaultLogger(appId),
    listen: listen ?? false,
    ...defined({ clock, random, env, resources, definitions, app, onShutdownRequest }),
  })
  return {
    appId,
    get api() {
      return core.api
    },
    get addresses() {
      return core.addresses
    },
    get unready() {
      return core.unready
    },
    start: () => core.start(),
    ready: () => core.ready(),
    stop: () => core.stop(),
  }
}

function defaultLogger(appId: string): Logger {
  const output = streamSink(process.stdout)
  const write = (line: string): void => output.write(line)
  const log = createLog({
    level: 'warn',
    json: false,
    appId,
    instance: hostname(),
    version,
    clock: systemClock,
    write,
  })
  return log.scope('dapr.runtime')
}
