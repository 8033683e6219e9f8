import { clientError } from './error.ts'

/** A value on its way out: JSON text, or bytes that may be anything. */
export type Payload = { readonly json: string } | { readonly bytes: Uint8Array }

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const strict = new TextDecoder('utf-8', { fatal: true })

export const utf8 = (text: string): Uint8Array => encoder.encode(text)
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

/** JSON of any value; `Uint8Array` stays what it is. `what` names it in errors. */
export function payloadOf(value: unknown, what: string): Payload {
  if (value instanceof Uint8Array) return { bytes: value }
  return { json: jsonOf(value, what) }
}

export function jsonOf(value: unknown, what: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value) as string | undefined
  } catch (error) {
    throw clientError('ERR_CLIENT_ARGUMENT', `${what} cannot be JSON: ${(error as Error).message}`, error)
  }
  if (text === undefined)
    throw clientError('ERR_CLIENT_ARGUMENT', `${what} cannot be JSON: it is ${typeof value}`)
  return text
}

export function bytesOf(payload: Payload): Uint8Array {
  return 'bytes' in payload ? payload.bytes : utf8(payload.json)
}

/** The payload as JSON text for a place where nothing else fits. Bytes must be JSON themselves. */
export function jsonTextOf(payload: Payload, what: string): string {
  if ('json' in payload) return payload.json
  try {
    const text = strict.decode(payload.bytes)
    JSON.parse(text)
    return text
  } catch {
    throw clientError(
      'ERR_CLIENT_UNSUPPORTED',
      `${what} is bytes that are no JSON, which the HTTP API cannot carry: use the client of @outrigger/client/grpc, or a text in base64`,
    )
  }
}

/** Parses what came. @throws OutriggerError ERR_CLIENT_ANSWER */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw clientError('ERR_CLIENT_ANSWER', `${what} is no JSON: ${(error as Error).message}`, error)
  }
}

export type Json = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text that must be there. @throws OutriggerError ERR_CLIENT_ARGUMENT */
export function required(value: unknown, name: string): void {
  if (typeof value === 'string' && value !== '') return
  const found = value === '' ? 'empty' : typeof value
  throw clientError('ERR_CLIENT_ARGUMENT', `${name} must be a text that is not empty; it is ${found}`)
}
