import { capture, node, root, run, type Ended } from './run.ts'

/** The environment in which nx runs here: one process, nothing over the network. */
export function nxEnv(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NX_DAEMON: 'false',
    NX_ISOLATE_PLUGINS: 'false',
    NX_TUI: 'false',
    NX_SKIP_CHECK_REMOTE: 'true',
  }
}

const nx = 'node_modules/nx/dist/bin/nx.js'

/** Builds what is stale; unless `quiet`, type-checks as well and shows every package. */
export async function buildAll(options: { quiet: boolean; args?: readonly string[] }): Promise<Ended> {
  const env = nxEnv()
  if (!options.quiet) {
    return run(node, [nx, 'run-many', '-t', 'build', 'typecheck', ...(options.args ?? [])], { env })
  }
  process.stderr.write('Building what is stale ...\n')
  const { code, signal, stdout, stderr } = await capture(node, [nx, 'run-many', '-t', 'build'], {
    env,
    cwd: root,
  })
  if (code !== 0) process.stderr.write(stdout + stderr)
  return { code, signal: signal ?? null }
}
