import { capture, node, root, run, type Ended } from './run.ts'

const env = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_ISOLATE_PLUGINS: 'false',
  NX_TUI: 'false',
  NX_SKIP_CHECK_REMOTE: 'true',
}

/** Runs nx in the root. */
export function nx(args: readonly string[]): Promise<Ended> {
  return run(node, [`${root}/node_modules/nx/dist/bin/nx.js`, ...args], { env })
}

/** Builds what is stale; unless `quiet`, type-checks as well and shows every package. */
export async function buildAll(options: { quiet: boolean; args?: readonly string[] }): Promise<Ended> {
  if (!options.quiet) return nx(['run-many', '-t', 'build', 'typecheck', ...(options.args ?? [])])
  process.stderr.write('Building what is stale ...\n')
  const command = [`${root}/node_modules/nx/dist/bin/nx.js`, 'run-many', '-t', 'build']
  const built = await capture(node, command, { env })
  if (built.code !== 0) process.stderr.write(built.stdout + built.stderr)
  return { code: built.code, signal: built.signal ?? null }
}
