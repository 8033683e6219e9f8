import { isWireError } from '@outrigger/wire'
import type { HttpCall } from '../server/http-call.ts'
import { ApiError } from './api-error.ts'

const decoder = new TextDecoder()

/** The body as bytes. A body over the limit is a caller's mistake and says so. */
export async function readBody(call: HttpCall): Promise<Uint8Array> {
  try {
    return await call.request.body.bytes()
  } catch (error) {
    throw bodyError(error)
  }
}

/** The body as JSON: its text and what it parses to. */
export async function readJson(call: HttpCall): Promise<{ readonly text: string; readonly value: unknown }> {
  const bytes = await readBody(call)
  const text = decoder.decode(bytes)
  if (text.trim() === '') throw malformed('the body is empty')
  try {
    return { text, value: JSON.parse(text) as unknown }
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'invalid JSON')
  }
}

export function malformed(message: string): ApiError {
  return new ApiError('MALFORMED_REQUEST', `failed deserializing HTTP body: ${message}`)
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Metadata in a JSON body: an object of strings. */
export function metadataIn(value: unknown, where: string): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw malformed(`${where} must be an object of strings`)
  for (const [name, item] of Object.entries(value)) {
    if (typeof item !== 'string') throw malformed(`${where}.${name} must be a string`)
  }
  return value as Record<string, string>
}

/** A text in a JSON body; `undefined` where it is absent, null or empty. */
export function textIn(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw malformed(`${where} must be a string`)
  return value
}

/** A body that cannot be read is a caller's mistake. */
export function bodyError(error: unknown): ApiError {
  if (isWireError(error, 'OVERLOADED'))
    return new ApiError('OVERLOADED', `failed to read request body: ${error.message}`, { cause: error })
  if (isWireError(error, 'TOO_LARGE')) {
    return new ApiError(
      'BODY_READ',
      `failed to read request body: ${error.message}; raise the limit with --max-body-size`,
      { cause: error },
    )
  }
  return new ApiError(
    'BODY_READ',
    `failed to read request body: ${error instanceof Error ? error.message : 'unknown'}`,
    {
      cause: error,
    },
  )
}
