import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Sets of Python packages that tests use: the names of the lists in `python/`. */
export const pythonEnvironments = ['dapr-1.19', 'dapr-1.10'] as const
export type PythonEnvironment = (typeof pythonEnvironments)[number]

/** Debian packages that bring Python. */
export const pythonPackages: readonly string[] = ['python3', 'python3-venv']

/** Whether there is a Python that can make environments. */
export function pythonAvailable(): boolean {
  if (isDenied('python')) return false
  return spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0
}

/** OUTRIGGER_WITHOUT_SERVICES=python,dapr-1.19,... makes the named ones count as not installed. */
function isDenied(name: string): boolean {
  return process.env['OUTRIGGER_WITHOUT_SERVICES']?.split(',').includes(name) === true
}

function listOf(name: PythonEnvironment): string {
  return fileURLToPath(new URL(`../python/${name}.txt`, import.meta.url))
}

/** Another list is another folder. */
function folderOf(name: PythonEnvironment): string {
  const hash = createHash('sha256')
    .update(readFileSync(listOf(name)))
    .digest('hex')
    .slice(0, 12)
  return join(homedir(), '.cache', 'outrigger-services', 'python', `${name}-${hash}`)
}

/** A file that is written when everything is installed. */
const mark = 'complete'

/** The interpreter of an environment; `undefined` when it is not installed. */
export function findPython(name: PythonEnvironment): string | undefined {
  const folder = folderOf(name)
  const usable = !isDenied(name) && pythonAvailable() && existsSync(join(folder, mark))
  return usable ? join(folder, 'bin', 'python') : undefined
}

/** Makes the environments that are missing. @returns what could not be installed */
export async function installPython(): Promise<readonly string[]> {
  const missing = pythonEnvironments.filter((name) => findPython(name) === undefined)
  const made = await Promise.all(missing.map(install))
  return missing.filter((_, index) => made[index] !== true)
}

async function install(name: PythonEnvironment): Promise<boolean> {
  const folder = folderOf(name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-deps', '-r', listOf(name)]
  const made =
    (await run('python3', ['-m', 'venv', folder])) && (await run(join(folder, 'bin', 'python'), pip))
  if (made) writeFileSync(join(folder, mark), '')
  return made
}

function run(command: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
}
