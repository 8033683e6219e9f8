import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CliFailure } from './failure.ts'
import { defaultResources, outriggerHome } from './home.ts'

export interface InitOptions {
  /** Folder to write to; without it, the default one. */
  readonly resourcesPath: string | undefined
  readonly force: boolean
  readonly env: NodeJS.ProcessEnv
  readonly print: (line: string) => void
}

/** Writes resources that need no server: state and messages in SQLite files. */
export async function init(options: InitOptions): Promise<void> {
  const folder =
    options.resourcesPath === undefined ? defaultResources(options.env) : resolve(options.resourcesPath)
  const data =
    options.resourcesPath === undefined
      ? join(outriggerHome(options.env), 'data')
      : join(dirname(folder), 'data')
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw new CliFailure(`${folder} cannot be made: ${(error as Error).message}`, { cause: error })
  }
  const files = {
    'statestore.yaml': component('statestore', 'state.sqlite', join(data, 'state.db')),
    'pubsub.yaml': component('pubsub', 'pubsub.sqlite', join(data, 'messages.db')),
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    try {
      await writeFile(path, text, { flag: options.force ? 'w' : 'wx' })
      options.print(`wrote ${path}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new CliFailure(`${path} cannot be written: ${(error as Error).message}`, { cause: error })
      }
      options.print(`kept ${path} (use --force to write it anew)`)
    }
  }
  const flag = options.resourcesPath === undefined ? '' : ` --resources-path ${quoted(options.resourcesPath)}`
  options.print('')
  options.print('State and messages now need no server. Run an application with its sidecar:')
  options.print(`  outrigger run --app-id hello --app-port 3000${flag} -- node app.js`)
}

/** For a shell, where a path needs it. */
function quoted(path: string): string {
  return /^[\w./:\\~-]+$/.test(path) ? path : JSON.stringify(path)
}

function component(name: string, type: string, file: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
  metadata:
    - name: connectionString
      value: ${JSON.stringify(file)}
`
}
