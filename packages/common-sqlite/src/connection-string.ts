import { isAbsolute, resolve } from 'node:path'
import { ComponentError } from '@outrigger/spec'

/** What a connection string says. */
export interface DatabaseLocation {
  /** Absolute path of the file, or `:memory:`. */
  readonly path: string
  readonly inMemory: boolean
  /** `mode=rw`: the file must be there already. */
  readonly mustExist: boolean
  /** Statements for the `_pragma` parameters, in their order. */
  readonly pragmas: readonly string[]
}

/** The pragmas that tune and do not change what the components rely on. */
const tuning = new Set(['cache_size', 'mmap_size', 'temp_store', 'wal_autocheckpoint', 'journal_size_limit'])

/** Pragmas that have a metadata field of their own. */
const fieldOf: Readonly<Record<string, string>> = {
  busy_timeout: 'busyTimeout',
  journal_mode: 'disableWAL',
  synchronous: 'synchronous',
}

function wrong(message: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `connectionString ${message}`)
}

function readPragma(text: string): string {
  const match = /^\s*([a-z_]+)\s*(?:\(\s*(-?\w+)\s*\)|=\s*(-?\w+))\s*$/i.exec(text)
  if (match === null) throw wrong(`has the parameter _pragma=${text}, which must look like cache_size(-4000)`)
  const name = match[1]!.toLowerCase()
  const field = fieldOf[name]
  if (field !== undefined) throw wrong(`sets ${name} with _pragma; use the metadata field ${field} instead`)
  if (!tuning.has(name))
    throw wrong(`sets the pragma ${name}, which may not be set; allowed are ${[...tuning].join(', ')}`)
  return `PRAGMA ${name}=${match[2] ?? match[3]!}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('has a percent sign that does not begin an escape; write %25 for the sign itself')
  }
}

/** `file:a`, `file:/a`, `file:///a` and `file://localhost/a`, as SQLite reads them. */
function uriPath(text: string): string {
  const path = decode(text.replace(/#.*$/, ''))
  if (!path.startsWith('//')) return path
  const end = path.indexOf('/', 2)
  const host = path.slice(2, end === -1 ? undefined : end)
  if (end === -1 || (host !== '' && host !== 'localhost')) {
    throw wrong(
      `names the host ${host}; a file URI has three slashes before an absolute path and none before a relative one`,
    )
  }
  return path.slice(end)
}

/**
 * Reads a connection string as Dapr accepts it: `data.db`, `file:data.db?mode=rw`, `:memory:`, `file::memory:`.
 * Relative paths are relative to `baseDirectory`. `cache` and `_txlock` are accepted and mean nothing here.
 * @throws `INVALID_METADATA`
 */
export function parseConnectionString(text: string, baseDirectory: string): DatabaseLocation {
  const trimmed = text.trim()
  const isUri = /^file:/i.test(trimmed)
  const rest = isUri ? trimmed.slice('file:'.length) : trimmed
  const question = rest.indexOf('?')
  const before = question === -1 ? rest : rest.slice(0, question)
  const parameters = new URLSearchParams(question === -1 ? '' : rest.slice(question + 1).replace(/#.*$/, ''))
  const mode = parameters.get('mode')?.toLowerCase()
  if (mode === 'ro' || (parameters.get('immutable') ?? '0') !== '0') {
    throw wrong('opens the file for reading only, and this component must write')
  }
  if (mode !== undefined && !['rw', 'rwc', 'memory'].includes(mode)) {
    throw wrong(`has mode=${mode}; it must be rw, rwc or memory`)
  }
  const pragmas = parameters.getAll('_pragma').map(readPragma)
  const path = isUri ? uriPath(before) : before
  if (path.toLowerCase() === ':memory:' || mode === 'memory') {
    return { path: ':memory:', inMemory: true, mustExist: false, pragmas }
  }
  if (path === '') throw wrong('names no file')
  if (path.includes('\0')) throw wrong('has a NUL in the path of the file')
  return {
    path: isAbsolute(path) ? path : resolve(baseDirectory, path),
    inMemory: false,
    mustExist: mode === 'rw',
    pragmas,
  }
}
