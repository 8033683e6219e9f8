import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { daprdFlags, version } from '@outrigger/runtime'
import { describe } from './components/describe.ts'
import { install } from './components/install.ts'
import { listComponents } from './components/list.ts'
import { CliFailure } from './failure.ts'
import { resourcesPaths } from './home.ts'
import { init } from './init.ts'
import { addMtls } from './mtls/command.ts'
import { run } from './run/run.ts'
import { modulesPath } from './run/sidecar.ts'

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** The `outrigger` command. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('outrigger')
    .description('Run applications beside an Outrigger sidecar')
    .version(version)
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .enablePositionalOptions()
  addInit(program)
  addRun(program)
  addComponents(program)
  addMtls(program)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode)
    const message =
      error instanceof CliFailure ? error.message : error instanceof Error ? error.stack : String(error)
    process.stderr.write(`outrigger: ${message}\n`)
    process.exit(1)
  }
}

function addInit(program: Command): void {
  program
    .command('init')
    .description('Write default resources that need no server: state and messages in SQLite files')
    .option(
      '-d, --resources-path <folder>',
      'where to write them (default: the .outrigger folder in your home)',
    )
    .option('--force', 'replace files that exist', false)
    .action((options: { resourcesPath?: string; force: boolean }) =>
      init({ resourcesPath: options.resourcesPath, force: options.force, env: process.env, print }),
    )
}

/** Flags of the sidecar that `run` decides itself. */
const ownFlags = new Set([
  'app-id',
  'app-port',
  'dapr-http-port',
  'dapr-grpc-port',
  'resources-path',
  'components-path',
  'dapr-listen-addresses',
  'log-as-json',
  'modules-path',
  'version',
  'build-info',
])

interface RunFlags {
  readonly appId: string
  readonly appPort?: number
  readonly daprHttpPort?: number
  readonly daprGrpcPort?: number
  readonly resourcesPath: readonly string[]
}

function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('Run an application with its sidecar; both end together')
    .usage('[options] [-- command of the application]')
    .argument('[command...]', 'command of the application, after --')
    .requiredOption('-a, --app-id <name>', 'name of the application')
    .option('-p, --app-port <port>', 'port on which the application listens', port)
    .option('-d, --resources-path <folder>', 'folder of resource files; may be repeated', collect, [])
    .option('-H, --dapr-http-port <port>', 'port of the HTTP API (default: a free one)', port)
    .option('-G, --dapr-grpc-port <port>', 'port of the gRPC API (default: a free one)', port)
    .passThroughOptions()
  // The other flags of the sidecar are passed on as they are; its own table describes them.
  const passedOn = daprdFlags.filter(
    (flag) => !ownFlags.has(flag.name) && flag.hidden !== true && flag.unbuilt === undefined,
  )
  for (const flag of passedOn) {
    const shape = flag.type === 'bool' ? `--${flag.name} [value]` : `--${flag.name} <value>`
    command.option(shape, flag.description)
  }
  command.action(async (words: string[], flags: RunFlags) => {
    const given = passedOn.flatMap((flag) => {
      const value = command.getOptionValue(camel(flag.name)) as string | true | undefined
      return value === undefined ? [] : [`--${flag.name}=${value}`]
    })
    process.exitCode = await run({
      appId: flags.appId,
      appPort: flags.appPort,
      httpPort: flags.daprHttpPort,
      grpcPort: flags.daprGrpcPort,
      resourcesPaths: resourcesPaths(flags.resourcesPath, process.env),
      sidecarFlags: given,
      command: words,
      env: process.env,
      print,
      color: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    })
  })
}

function addComponents(program: Command): void {
  const components = program.command('components').description('The components there are, and their packages')
  const searchFrom = (): readonly string[] => [process.cwd(), modulesPath()]
  components
    .command('list')
    .description('List the components of this release and which are installed')
    .option('--json', 'as JSON', false)
    .action(async (options: { json: boolean }) => print(await listComponents(searchFrom(), options.json)))
  components
    .command('describe')
    .description('Show what a component can do and what its metadata may say')
    .argument('<type>', 'component type, such as state.redis')
    .option('--json', 'as JSON', false)
    .action(async (type: string, options: { json: boolean }) =>
      print(await describe(type, searchFrom(), options.json)),
    )
  components
    .command('install')
    .description('Install the packages of components, with the package manager of this folder')
    .argument('[types...]', 'component types; without any, those that the resources name')
    .option('-d, --resources-path <folder>', 'folder of resource files; may be repeated', collect, [])
    .option('--dry-run', 'only show the command', false)
    .action((types: string[], options: { resourcesPath: string[]; dryRun: boolean }) =>
      install({
        types: types.map((type) => type.toLowerCase()),
        resourcesPaths: types.length > 0 ? [] : resourcesPaths(options.resourcesPath, process.env),
        searchFrom: searchFrom(),
        dryRun: options.dryRun,
        print,
      }),
    )
}

function port(text: string): number {
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number
  throw new InvalidArgumentError('a port is a number from 0 to 65535')
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}

function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
