import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fields } from '@outrigger/kit'
import type { Clock, Logger, Random } from '@outrigger/spec'
import { onTestFinished } from 'vitest'
import { databaseFields, openDatabase, type Database, type DatabaseContext } from '../src/index.ts'

export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
export const random: Random = { next: () => Math.random(), uuid: () => crypto.randomUUID() }

/** A logger that keeps its warnings. */
export function recorder(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = []
  return { warnings, debug() {}, info() {}, warn: (message) => warnings.push(message), error() {} }
}

/** A folder that goes away with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'outrigger-sqlite-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const schema = fields(databaseFields)

export function contextOf(
  properties: Record<string, string>,
  extra: Partial<DatabaseContext> = {},
): DatabaseContext {
  const result = schema.parse(properties)
  if ('issues' in result) throw new Error(JSON.stringify(result.issues))
  const initSignal = new AbortController().signal
  return {
    metadata: result.value,
    logger: recorder(),
    clock,
    random,
    baseDirectory: tmpdir(),
    initSignal,
    ...extra,
  }
}

/** Opens a database that is closed with the test. */
export async function open(
  properties: Record<string, string>,
  extra?: Partial<DatabaseContext>,
): Promise<Database> {
  const database = await openDatabase(contextOf(properties, extra))
  onTestFinished(() => database.close())
  return database
}

/** Runs a script in another process; it ends with the test. */
export function run(script: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Another process that holds the write lock until `release` is called. */
export async function holdLock(path: string): Promise<{ release(): Promise<void> }> {
  const child = run(
    `import { DatabaseSync } from 'node:sqlite'
     const database = new DatabaseSync(process.argv.at(-1))
     database.exec('BEGIN IMMEDIATE')
     process.stdin.once('data', () => { database.exec('COMMIT'); process.exit(0) })
     console.log('locked')`,
    path,
  )
  await once(child.stdout!, 'data')
  return {
    release: async () => {
      child.stdin!.write('go\n')
      await once(child, 'exit')
    },
  }
}
