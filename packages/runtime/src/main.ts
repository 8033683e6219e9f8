import { hostname } from 'node:os'
import {
  collectors,
  createLog,
  fileSink,
  FlagError,
  handleSignals,
  keepAlive,
  parseFlags,
  renderHelp,
  streamSink,
  systemClock,
  teeSink,
} from '@outrigger/host'
import { flags } from './config/flags.ts'
import { optionsOf, type RuntimeOptions } from './config/options.ts'
import { ownVariables } from './config/own-variables.ts'
import { StartupError } from './config/startup-error.ts'
import { processMemory } from './overload/process-memory.ts'
import { tellParent } from './parent.ts'
import { RuntimeCore } from './runtime.ts'
import { version } from './version.ts'
import { waitUntilReady } from './wait-until-ready.ts'

/** Of `--wait`, as in Dapr. */
const longestWaitMs = 60_000

/** The `daprd` executable. */
export async function main(argv: readonly string[]): Promise<void> {
  // A component that waits for nothing that Node.js knows of would let the process end in the middle.
  const letGo = keepAlive()
  const memory = processMemory(collectors())
  const options = await readOptions(argv)
  if (options === undefined) return letGo()
  Object.assign(process.env, ownVariables(options, process.cwd()))
  const write = openSink(options)
  const log = createLog({
    level: options.logLevel,
    json: options.logAsJson,
    appId: options.appId,
    instance: hostname(),
    version,
    clock: systemClock,
    write,
  })
  const logger = log.scope('dapr.runtime')
  const create = (): RuntimeCore =>
    new RuntimeCore(options, {
      logger,
      env: process.env,
      listen: true,
      memory,
      offerMetrics: true,
      onShutdownRequest(force) {
        // The answer must be out before.
        if (force) return void systemClock.schedule(100, () => process.exit(1))
        atOnce.abort()
        // Whoever leaves may say so while it is being ended: only signals mean that they cannot wait.
        if (!stopping) signals.stop('shutdown was requested')
      },
    })
  let stopping = false
  /** Aborts when the end is put off no longer: the application itself asked for it. */
  const atOnce = new AbortController()
  let core = create()
  const failed = (error: unknown): void => {
    if (stopping) return
    for (const line of linesOf(error)) logger.fatal(line)
    const flag = error instanceof StartupError ? error.portFlag : undefined
    if (flag === undefined) process.exit(1)
    tellParent({ daprd: 'port in use', flag }, () => process.exit(1))
  }
  const run = async (): Promise<void> => {
    const current = core
    try {
      await current.start()
      letGo()
      tellParent({ daprd: 'started' })
    } catch (error) {
      return failed(error)
    }
    // The application may come much later, and a reload before it.
    current.ready().catch((error: unknown) => {
      if (core === current) failed(error)
    })
  }
  let reloading: Promise<void> | undefined
  const reload = async (): Promise<void> => {
    logger.info('SIGHUP: configuration and resources are read anew')
    // Between the two lives nothing may let the process end.
    const hold = keepAlive()
    const last = core
    core = create()
    if (!(await last.stop())) logger.warn('not everything ended in time before the reload')
    if (!stopping) await run()
    hold()
  }
  const signals = handleSignals({
    async stop() {
      stopping = true
      await core.blockShutdown(atOnce.signal)
      const { gracefulShutdownMs } = options
      const begun = systemClock.monotonic()
      // In the middle of a reload there are two.
      const [ended] = await Promise.all([core.stop(), reloading])
      if (ended) return logger.info('Daprd shutdown gracefully')
      const late = gracefulShutdownMs > 0 && systemClock.monotonic() - begun >= gracefulShutdownMs
      logger.fatal(
        late ? 'Graceful shutdown timeout exceeded, forcing shutdown' : 'the shutdown was not orderly',
      )
      process.exit(1)
    },
    hangUp() {
      if (stopping || reloading !== undefined) return
      reloading = reload().finally(() => (reloading = undefined))
    },
    graceMs: (options.gracefulShutdownMs || Infinity) + (options.blockShutdownMs ?? 0) + 1000,
    exit: (code) => process.exit(code),
    logger,
    clock: systemClock,
  })
  // Whoever started it with a channel wants it to end with him.
  process.channel?.unref()
  process.once('disconnect', () => signals.stop('the process that started it has gone'))
  await run()
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof StartupError) return error.lines
  return [error instanceof Error ? error.message : String(error)]
}

function openSink(options: RuntimeOptions): (line: string) => void {
  const output = streamSink(process.stdout)
  if (options.logFile === undefined) return output.write
  try {
    return teeSink(output, fileSink(options.logFile)).write
  } catch (error) {
    return refuse([`${(error as Error).message}: correct --log-file`])
  }
}

/** There is no log yet that could say it. */
function refuse(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`daprd: ${problem}\n`)
  process.stderr.write('daprd: see --help\n')
  process.exit(1)
}

/** @returns `undefined` when all that was asked for has been printed */
async function readOptions(argv: readonly string[]): Promise<RuntimeOptions | undefined> {
  try {
    const parsed = parseFlags(flags, argv, process.env)
    if (parsed.help) {
      process.stdout.write(`${renderHelp(flags)}\n`)
      return undefined
    }
    if (parsed.values['version'] === true) {
      process.stdout.write(`${version}\n`)
      return undefined
    }
    if (parsed.values['build-info'] === true) {
      process.stdout.write(`Version: ${version}\nNode.js: ${process.versions.node}\n`)
      return undefined
    }
    if (parsed.values.wait) {
      const port = parsed.values['dapr-http-port'] ?? 3500
      const print = (line: string): void => void process.stdout.write(`${line}\n`)
      const ready = await waitUntilReady({ port, timeoutMs: longestWaitMs, clock: systemClock, print })
      process.exitCode = ready ? 0 : 1
      return undefined
    }
    return optionsOf(parsed, process.env)
  } catch (error) {
    const problems =
      error instanceof FlagError
        ? error.problems
        : error instanceof StartupError
          ? error.lines
          : [String(error)]
    return refuse(problems)
  }
}
