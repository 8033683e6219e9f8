import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Address, Certificate, Server } from './peer.ts'

const sources = fileURLToPath(new URL('.', import.meta.url))
const cache = fileURLToPath(new URL('../../../.cache/interop', import.meta.url))
const run = promisify(execFile)
/** A cold build fetches the libraries. */
const buildMs = 240_000
const clientMs = 120_000

/** A peer that is a program in another language, built when it is first needed. */
export interface Program {
  /** Why it cannot be built here. */
  readonly missing: string | undefined
  serve(certificate?: Certificate): Promise<Server>
  /** Runs all cases; what went wrong by the name of the case, empty when nothing did. */
  callAll(address: Address): Promise<ReadonlyMap<string, string>>
  /** What it reports when it is run like that; throws what it writes to stderr. */
  report(...args: readonly string[]): AsyncIterable<Record<string, unknown>>
}

interface Language {
  /** Folder of its sources. */
  readonly name: 'go' | 'java'
  readonly tools: readonly (readonly string[])[]
  build(from: string, to: string): readonly string[]
  command(built: string): readonly string[]
}

export const go = programOf({
  name: 'go',
  tools: [['go', 'version']],
  build: (_, to) => ['go', 'build', '-trimpath', '-o', join(to, 'peer'), '.'],
  command: (built) => [join(built, 'peer')],
})

export const java = programOf({
  name: 'java',
  tools: [
    ['mvn', '-version'],
    ['java', '-version'],
  ],
  build: (_, to) => ['mvn', '-q', '-B', `-Dout=${to}`, 'compile', 'dependency:copy-dependencies'],
  command: (built) => [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    `${join(built, 'classes')}:${join(built, 'lib/*')}`,
    'outrigger.interop.Main',
  ],
})

function programOf(language: Language): Program {
  const absent = language.tools.find(([tool, version]) => spawnSync(tool!, [version!]).status !== 0)
  let building: Promise<readonly string[]> | undefined
  const built = (): Promise<readonly string[]> => (building ??= build(language))
  return {
    missing: absent === undefined ? undefined : `${absent[0]} is not installed`,
    serve: async (certificate) => {
      const files = certificate === undefined ? [] : [certificate.certFile, certificate.keyFile]
      return serve([...(await built()), 'server', '0', ...files])
    },
    callAll: async ({ port, certificate }) => {
      const files = certificate === undefined ? [] : [certificate.certFile]
      return callAll([...(await built()), 'client', `127.0.0.1:${port}`, ...files])
    },
    async *report(...args) {
      const { child, lines, ended } = start([...(await built()), ...args])
      const timer = setTimeout(() => child.kill('SIGKILL'), clientMs)
      try {
        yield* lines
        const errors = await ended
        if (errors !== '') throw new Error(errors)
      } finally {
        clearTimeout(timer)
        child.kill()
      }
    },
  }
}

/** Builds into a folder that is named after the sources, unless it is there. */
async function build(language: Language): Promise<readonly string[]> {
  const { name } = language
  const from = join(sources, name)
  const hash = createHash('sha256')
  for (const file of (await readdir(from, { recursive: true })).sort()) {
    hash.update(file)
    hash.update(await readFile(join(from, file)).catch(() => ''))
  }
  const folder = `${name}-${hash.digest('hex').slice(0, 12)}`
  const target = join(cache, folder)
  if (existsSync(target)) return language.command(target)
  await mkdir(cache, { recursive: true })
  for (const old of await readdir(cache)) {
    if (old.startsWith(`${name}-`) && old !== folder)
      await rm(join(cache, old), { recursive: true, force: true })
  }
  const making = join(cache, `making-${folder}-${process.pid}`)
  const [tool, ...args] = language.build(from, making)
  await run(tool!, args, { cwd: from, timeout: buildMs })
  // Whoever was first has built the same.
  await rename(making, target).catch(() => rm(making, { recursive: true, force: true }))
  return language.command(target)
}

interface Started {
  readonly child: ChildProcess
  readonly lines: AsyncIterable<Record<string, unknown>>
  /** Settles with what it wrote to stderr. */
  readonly ended: Promise<string>
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
    for await (const line of text) yield JSON.parse(line) as Record<string, unknown>
  }
  return { child, lines: lines(), ended }
}

/** The program ends with its input, so it ends with the tests however these end. */
async function serve(command: readonly string[]): Promise<Server> {
  const { child, lines, ended } = start(command)
  for await (const line of lines) {
    const port = line['ready']
    if (typeof port !== 'number') break
    return {
      port,
      close: async () => {
        child.stdin!.end()
        await ended
      },
    }
  }
  throw new Error(`the server did not start: ${await ended}`)
}

async function callAll(command: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { child, lines, ended } = start(command)
  const timer = setTimeout(() => child.kill('SIGKILL'), clientMs)
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
