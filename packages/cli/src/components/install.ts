import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { componentTypes, findComponent, packageOf } from '@outrigger/runtime'
import { CliFailure } from '../failure.ts'

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
  const types = options.types.length > 0 ? options.types : await componentTypes(options.resourcesPaths)
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
