import { fileURLToPath } from 'node:url'

/** Under load a sidecar's memory is what it throws away at once: with this it needs half of it, at no cost in time. */
const youngGeneration = '--max-semi-space-size=4'

/** The command line of the sidecar: the runtime that is installed beside this command, on the same Node.js. */
export function sidecarCommand(): readonly [program: string, ...args: string[]] {
  const manifest = import.meta.resolve('@outrigger/runtime/package.json')
  // In development everything runs from its sources, the sidecar too.
  const fromSources = import.meta.url.endsWith('.ts')
  const file = new URL(fromSources ? './src/bin.ts' : './dist/bin.js', manifest)
  return [process.execPath, youngGeneration, ...process.execArgv, fileURLToPath(file)]
}

/** Where the packages of the default resources are found: beside this command. */
export function modulesPath(): string {
  return fileURLToPath(new URL('..', import.meta.url))
}

/** The Configuration that comes before those of the user. */
export function defaultConfiguration(): string {
  const fromSources = import.meta.url.endsWith('.ts')
  return fileURLToPath(
    new URL(fromSources ? '../../config/default.yaml' : '../config/default.yaml', import.meta.url),
  )
}
