import type { UnlockStatus } from '@outrigger/spec'
import type { HttpCall } from '../../server/http-call.ts'
import type { HttpRoute } from '../../server/router.ts'
import { isRecord, malformed, readBody } from '../json-body.ts'
import type { LockHandler } from './handler.ts'

const jsonType = ['content-type', 'application/json']
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The statuses as numbers of the enumeration in Dapr's protocol. 3 is an internal error, which is an error here. */
export const statusNumbers: Readonly<Record<UnlockStatus, number>> = {
  success: 0,
  'lock-does-not-exist': 1,
  'lock-belongs-to-others': 2,
}

/** The lock routes of the HTTP API. */
export function lockRoutes(handler: LockHandler): HttpRoute[] {
  return [
    {
      name: 'TryLock',
      methods: ['POST'],
      path: 'v1.0-alpha1/lock/:store',
      async handle(call) {
        const body = await readMessage(call)
        const success = await handler.tryLock(
          { ...lockOf(call.params[0]!, body), expiryInSeconds: int32(body, 'expiryInSeconds') },
          call,
        )
        call.response.send(200, jsonType, JSON.stringify({ success }))
      },
    },
    {
      name: 'Unlock',
      methods: ['POST'],
      path: 'v1.0-alpha1/unlock/:store',
      async handle(call) {
        const status = await handler.unlock(lockOf(call.params[0]!, await readMessage(call)), call)
        call.response.send(200, jsonType, JSON.stringify({ status: statusNumbers[status] }))
      },
    },
  ]
}

type Message = Readonly<Record<string, unknown>>

/** The body as the JSON form of a protobuf message: an empty one is the message with nothing in it. */
async function readMessage(call: HttpCall): Promise<Message> {
  const bytes = await readBody(call)
  if (bytes.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'invalid JSON')
  }
  if (!isRecord(value)) throw malformed('it must be an object')
  return value
}

function lockOf(storeName: string, body: Message) {
  return { storeName, resourceId: text(body, 'resourceId'), lockOwner: text(body, 'lockOwner') }
}

/** A field by its JSON name or by its name in the protocol (`resource_id`). */
function member(body: Message, name: string): unknown {
  const original = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return Object.hasOwn(body, name) ? body[name] : Object.hasOwn(body, original) ? body[original] : undefined
}

function text(body: Message, name: string): string {
  const value = member(body, name) ?? ''
  if (typeof value !== 'string') throw malformed(`${name} must be a string`)
  return value
}

/** Numbers may stand in quotes (the JSON form of protobuf). */
function int32(body: Message, name: string): number {
  const value = member(body, name) ?? 0
  const number = typeof value === 'string' && value.trim() === value && value !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && Math.abs(number) < 2 ** 31) return number
  throw malformed(`${name} must be a whole number of 32 bits`)
}
