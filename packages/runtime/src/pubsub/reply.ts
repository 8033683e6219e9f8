import type { AppResponse } from '../app/channel.ts'
import { membersOf, namesOf, type Members as Json } from '../app/members.ts'
import { textOf } from './json-scan.ts'

/** Why a message was not processed, and whether another try is wanted. */
export interface Failure {
  readonly kind: 'drop' | 'retry'
  readonly reason: string
  /** Nothing was sent: the application is down, or has no room. */
  readonly unreachable?: boolean
  /** The status that it was answered with, where that is the reason. */
  readonly http?: number
  readonly grpc?: number
}

/** What became of a message. */
export type Outcome = { readonly kind: 'success' } | Failure

const replyNames = namesOf('status')
const bulkReplyNames = namesOf('statuses')
const entryNames = namesOf('entryId', 'status')

export const success: Outcome = { kind: 'success' }

/** Reads the answer to one message; any answer counts, also one that cannot be read. */
export async function readReply(response: AppResponse, maxBytes: number): Promise<Outcome> {
  const { status } = response
  const body = await readBody(response, maxBytes)
  if (status === 404) return { kind: 'drop', reason: 'the application answered 404' }
  if (status < 200 || status > 299) return refused(status)
  const reply = body === undefined ? undefined : parseObject(body)
  // An answer that says nothing readable is a success.
  if (reply === undefined) return success
  const value = membersOf(reply, replyNames)['status'] ?? ''
  if (typeof value !== 'string') return success
  return value === '' ? success : ofStatus(value)
}

/**
 * Reads the answer to several messages: the outcome of each by entry id. What it does not mention is to be retried.
 * @returns one outcome where the answer is about all of them
 */
export async function readBulkReply(
  response: AppResponse,
  maxBytes: number,
): Promise<Outcome | ReadonlyMap<string, Outcome>> {
  const { status } = response
  const body = await readBody(response, maxBytes)
  if (status === 404) return { kind: 'drop', reason: 'the application answered 404' }
  if (status < 200 || status > 299) return refused(status)
  const reply = body === undefined ? undefined : parseObject(body)
  const statuses = reply === undefined ? undefined : membersOf(reply, bulkReplyNames)['statuses']
  if (!Array.isArray(statuses)) return { kind: 'retry', reason: 'the answer has no list of statuses' }
  const outcomes = new Map<string, Outcome>()
  for (const item of statuses) {
    if (typeof item !== 'object' || item === null) continue
    const { entryId, status: given } = membersOf(item as Json, entryNames)
    const value = given ?? ''
    if (typeof entryId === 'string' && typeof value === 'string') outcomes.set(entryId, ofStatus(value))
  }
  return outcomes
}

function refused(status: number): Failure {
  return { kind: 'retry', reason: `the application answered ${status}`, http: status }
}

/** What a status of an application means; SDKs give its name. */
export function ofStatus(status: string): Outcome {
  switch (status) {
    case 'SUCCESS':
      return success
    case 'DROP':
      return { kind: 'drop', reason: 'the application answered DROP' }
    case 'RETRY':
      return { kind: 'retry', reason: 'the application answered RETRY' }
    case '':
      return { kind: 'retry', reason: 'the application gave no status' }
    default:
      return { kind: 'retry', reason: `unknown status ${JSON.stringify(status.slice(0, 32))}` }
  }
}

function parseObject(body: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(textOf(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

/** `undefined` when it is too long or breaks off. */
async function readBody(response: AppResponse, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await response.body.bytes(maxBytes)
  } catch {
    response.body.cancel()
    return undefined
  }
}
