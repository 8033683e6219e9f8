import { hostname } from 'node:os'
import {
  createLog,
  errorText,
  fileSink,
  FlagError,
  handleSignals,
  keepAlive,
  parseFlags,
  renderHelp,
  streamSink,
  systemClock,
  systemRandom,
  teeSink,
} from '@outrigger/host'
import { flags } from './config/flags.ts'
import { optionsOf, type ProcessOptions } from './config/options.ts'
import { createSentry } from './sentry.ts'
import { version } from './version.ts'

const graceMs = 6_000

/** The `sentry` executable. */
export async function main(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv)
  if (options === undefined) return
  const letGo = keepAlive()
  const log = createLog({
    level: options.log.level,
    json: options.log.json,
    appId: '',
    instance: hostname(),
    version,
    clock: systemClock,
    write: openSink(options.log.file),
  })
  const logger = log.scope('dapr.sentry')
  logger.info(`Starting sentry ${version} for the trust domain ${options.trustDomain}`)
  for (const warning of options.warnings) logger.warn(warning)
  let stopping = false
  const sentry = createSentry(options, { clock: systemClock, random: systemRandom, logger })
  const signals = handleSignals({
    async stop() {
      stopping = true
      if (!(await sentry.stop())) throw new Error('not everything stopped in time')
      logger.info('Sentry shut down gracefully')
    },
    graceMs,
    exit: (code) => process.exit(code),
    logger,
    clock: systemClock,
  })
  // Whoever started it with a channel wants it to end with him.
  process.channel?.unref()
  process.once('disconnect', () => signals.stop('the process that started it has gone'))
  try {
    await sentry.start()
    letGo()
  } catch (error) {
    if (stopping) return
    logger.fatal(errorText(error))
    process.exit(1)
  }
}

function openSink(file: string | undefined): (line: string) => void {
  const output = streamSink(process.stdout)
  if (file === undefined) return output.write
  try {
    return teeSink(output, fileSink(file)).write
  } catch (error) {
    return refuse([`${(error as Error).message}: correct --log-file`])
  }
}

/** There is no log yet that could say it. */
function refuse(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`sentry: ${problem}\n`)
  process.stderr.write('sentry: see --help\n')
  process.exit(1)
}

/** @returns `undefined` when all that was asked for has been printed */
function readOptions(argv: readonly string[]): ProcessOptions | undefined {
  try {
    const parsed = parseFlags(flags, argv, process.env)
    if (parsed.help) {
      process.stdout.write(`${renderHelp(flags)}\n`)
      return undefined
    }
    if (parsed.values.version) {
      process.stdout.write(`${version}\n`)
      return undefined
    }
    return optionsOf(parsed, process.env)
  } catch (error) {
    return refuse(error instanceof FlagError ? error.problems : [errorText(error)])
  }
}
