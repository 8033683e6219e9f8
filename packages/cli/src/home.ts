import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CliFailure } from './failure.ts'

/** Where the default resources and their data live: `OUTRIGGER_HOME`, or `.outrigger` in the user's home. */
export function outriggerHome(env: NodeJS.ProcessEnv): string {
  return env['OUTRIGGER_HOME'] || join(homedir(), '.outrigger')
}

/** The folder of the default resources, as `outrigger init` writes it. */
export function defaultResources(env: NodeJS.ProcessEnv): string {
  return join(outriggerHome(env), 'resources')
}

/** The resource folders to use: those that were named, or the default one. */
export function resourcesPaths(given: readonly string[], env: NodeJS.ProcessEnv): readonly string[] {
  if (given.length > 0) return given
  const folder = defaultResources(env)
  if (existsSync(folder)) return [folder]
  throw new CliFailure(
    `there are no resources: run "outrigger init" once, which writes default ones to ${folder}, or name a folder with --resources-path`,
  )
}
