import { ComponentError, type Secret } from '@outrigger/spec'
import { JsonError, parseJson, type Json } from './json.ts'

export interface ReadOptions {
  readonly nestedSeparator: string
  readonly multiValued: boolean
}

/** The secrets of one file, by name. */
export type Secrets = ReadonlyMap<string, Secret>

const maxDepth = 64

/**
 * Reads the text of a secrets file.
 * @param file how errors name the file
 * @throws ComponentError INVALID_METADATA, with line and column and without any value
 */
export function readSecrets(file: string, text: string, options: ReadOptions): Secrets {
  const root = parse(file, text.startsWith('\uFEFF') ? text.slice(1) : text)
  if (!(root instanceof Map)) throw invalid(`${file} must hold a JSON object, such as {"name": "value"}`)
  const secrets = new Map<string, Secret>()
  if (options.multiValued) {
    for (const [name, value] of root as ReadonlyMap<string, Json>) {
      if (value === null) continue
      const values = typeof value === 'string' ? new Map([[name, value]]) : flatten(file, value, options)
      secrets.set(name, Object.fromEntries(values))
    }
  } else {
    for (const [name, value] of flatten(file, root, options))
      secrets.set(name, Object.fromEntries([[name, value]]))
  }
  return secrets
}

function parse(file: string, text: string): Json {
  try {
    return parseJson(text, maxDepth)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw invalid(`${file}:${error.line}:${error.column} is not valid JSON: ${error.message}`)
  }
}

/** Leaves by their path; members of arrays are named by their index, and `null` is no value. */
function flatten(
  file: string,
  root: Exclude<Json, string | null>,
  { nestedSeparator }: ReadOptions,
): Map<string, string> {
  const leaves = new Map<string, string>()
  function visit(parent: Exclude<Json, string | null>, prefix: string): void {
    const entries: Iterable<readonly [string | number, Json]> = parent.entries()
    for (const [name, value] of entries) {
      const path = `${prefix}${name}`
      if (typeof value === 'string') add(path, value)
      else if (value !== null) visit(value, `${path}${nestedSeparator}`)
    }
  }
  function add(path: string, value: string): void {
    if (leaves.has(path)) {
      throw invalid(
        `${file} has two values whose name is ${JSON.stringify(path)}; rename one, or choose another nestedSeparator`,
      )
    }
    leaves.set(path, value)
  }
  visit(root, '')
  return leaves
}

function invalid(message: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `secretsFile: ${message}`)
}
