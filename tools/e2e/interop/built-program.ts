import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const cache = fileURLToPath(new URL('../../../.cache/interop', import.meta.url))
const run = promisify(execFile)
/** A cold build fetches the libraries. */
const buildMs = 240_000

/** How a program in another language is built and run. */
export interface Recipe {
  /** What its builds are called. */
  readonly name: string
  /** Folder of its sources. */
  readonly sources: string
  /** What it takes, and what they are asked to see whether they are there. */
  readonly tools: readonly (readonly [tool: string, version: string])[]
  build(to: string): readonly string[]
  command(built: string): readonly string[]
}

export interface BuiltProgram {
  /** Why it cannot be built here. */
  readonly missing: string | undefined
  /** Starts it, and builds it first unless that was done. */
  start(args: readonly string[]): Promise<Started>
}

export interface Started {
  readonly child: ChildProcess
  /** What it reports: lines of JSON. Others are passed over. */
  readonly lines: AsyncIterable<Record<string, unknown>>
  /** Settles with what it wrote to stderr. */
  readonly ended: Promise<string>
}

/** A program in another language, built when it is first needed. */
export function builtProgram(recipe: Recipe): BuiltProgram {
  const absent = recipe.tools.find(([tool, version]) => spawnSync(tool, [version]).status !== 0)
  let building: Promise<readonly string[]> | undefined
  return {
    missing: absent === undefined ? undefined : `${absent[0]} is not installed`,
    start: async (args) => start([...(await (building ??= build(recipe))), ...args]),
  }
}

/** Builds into a folder that is named after the sources, unless it is there. */
async function build({ name, sources, ...recipe }: Recipe): Promise<readonly string[]> {
  const hash = createHash('sha256')
  for (const file of (await readdir(sources, { recursive: true })).sort()) {
    hash.update(file)
    hash.update(await readFile(join(sources, file)).catch(() => ''))
  }
  const folder = `${name}-${hash.digest('hex').slice(0, 12)}`
  const target = join(cache, folder)
  if (existsSync(target)) return recipe.command(target)
  await mkdir(cache, { recursive: true })
  for (const old of await readdir(cache)) {
    if (old.startsWith(`${name}-`) && old !== folder)
      await rm(join(cache, old), { recursive: true, force: true })
  }
  const making = join(cache, `making-${folder}-${process.pid}`)
  const [tool, ...args] = recipe.build(making)
  await run(tool!, args, { cwd: sources, timeout: buildMs })
  // Whoever was first has built the same.
  await rename(making, target).catch(() => rm(making, { recursive: true, force: true }))
  return recipe.command(target)
}

function start([file, ...args]: readonly string[]): Started {
  const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)))
  child.stdin.on('error', () => {})
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve(errors))
  })
  ended.catch(() => {})
  const text = createInterface({ input: child.stdout })
  async function* lines(): AsyncGenerator<Record<string, unknown>> {
    for await (const line of text) if (line.startsWith('{')) yield JSON.parse(line) as Record<string, unknown>
  }
  return { child, lines: lines(), ended }
}

/** Reads the results of a program that runs cases itself: what went wrong by the name of the case, empty when nothing did. */
export async function resultsOf(
  { child, lines, ended }: Started,
  patienceMs: number,
): Promise<ReadonlyMap<string, string>> {
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  const results = new Map<string, string>()
  try {
    for await (const line of lines) {
      results.set(String(line['case']), line['ok'] === true ? '' : String(line['detail'] || 'failed'))
    }
    const errors = await ended
    if (errors !== '') results.set('stderr', errors)
    return results
  } finally {
    clearTimeout(timer)
  }
}
