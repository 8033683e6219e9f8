import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nearest } from '@outrigger/host'
import { componentTypes, findComponent, StartupError } from '@outrigger/runtime'
import { CliFailure } from '../failure.ts'
import { catalogue } from '../generated/catalogue.ts'

export interface InstallOptions {
  /** Component types; empty: those that the resources name. */
  readonly types: readonly string[]
  readonly resourcesPaths: readonly string[]
  readonly searchFrom: readonly string[]
  /** Show what would be done. */
  readonly dryRun: boolean
  readonly print: (line: string) => void
}

/** Installs the packages of components that are missing, with the package manager of the current folder. */
export async function install(options: InstallOptions): Promise<void> {
  const { print, searchFrom } = options
  const types = options.types.length > 0 ? options.types : await typesOf(options.resourcesPaths)
  if (types.length === 0) print(`no component is named in ${options.resourcesPaths.join(', ')}`)
  const missing: string[] = []
  for (const type of types) {
    if ((await findComponent(type, { searchFrom })) === undefined) missing.push(packageOf(type))
    else print(`${type} is installed`)
  }
  if (missing.length === 0) return
  const command = installCommand(process.cwd(), [...new Set(missing)])
  print(command.join(' '))
  if (!options.dryRun) await execute(command)
}

async function typesOf(paths: readonly string[]): Promise<readonly string[]> {
  try {
    return await componentTypes(paths)
  } catch (error) {
    throw error instanceof StartupError ? new CliFailure(error.message, { cause: error }) : error
  }
}

/** The package of a component of this release: what somebody else may have put under a misspelled name is not installed. */
function packageOf(type: string): string {
  const entry = catalogue.find((each) => each.type === type || each.aliases.includes(type))
  if (entry !== undefined) return entry.package
  const meant = nearest(
    type,
    catalogue.map((each) => each.type),
  )
  throw new CliFailure(
    `${type} is no component of this release${meant === undefined ? '' : ` (did you mean ${meant}?)`}: ` +
      '"outrigger components list" shows those that are; install one from elsewhere by the name of its package',
  )
}

/** The install command of the package manager whose lock file is here; npm otherwise. */
export function installCommand(folder: string, packages: readonly string[]): readonly string[] {
  if (existsSync(join(folder, 'pnpm-lock.yaml'))) return ['pnpm', 'add', ...packages]
  if (existsSync(join(folder, 'yarn.lock'))) return ['yarn', 'add', ...packages]
  if (existsSync(join(folder, 'bun.lock'))) return ['bun', 'add', ...packages]
  return ['npm', 'install', ...packages]
}

function execute([program, ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // On Windows package managers are scripts, which only a shell can run.
    const child = spawn(program!, args, { stdio: 'inherit', shell: process.platform === 'win32' })
    child.on('error', (error) => reject(new CliFailure(`${program} could not be started: ${error.message}`)))
    child.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new CliFailure(`${program} ended with exit code ${code}; nothing else was done`))
    })
  })
}
