import type { Metadata } from '@outrigger/spec'
import { clientError } from '../error.ts'

/** One segment of a path. Dots alone would lead elsewhere. */
export function segment(text: string): string {
  if (text === '.') return '%2E'
  if (text === '..') return '%2E%2E'
  try {
    return encodeURIComponent(text)
  } catch (error) {
    throw clientError('ERR_CLIENT_ARGUMENT', `${JSON.stringify(text)} is no text that UTF-8 can hold`, error)
  }
}

/** Adds `metadata.<name>` and other parameters; those that are `undefined` are left out. */
export function withQuery(
  path: string,
  metadata: Metadata | undefined,
  parameters?: Readonly<Record<string, string | undefined>>,
): string {
  let query = ''
  const add = (name: string, value: string): void => {
    query += `${query === '' ? '?' : '&'}${segment(name)}=${segment(value)}`
  }
  if (parameters !== undefined)
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) add(name, value)
  if (metadata !== undefined)
    for (const [name, value] of Object.entries(metadata)) add(`metadata.${name}`, value)
  return path + query
}
