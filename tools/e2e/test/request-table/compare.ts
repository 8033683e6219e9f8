import { isDeepStrictEqual } from 'node:util'
import { errorTable } from '@outrigger/runtime'
import type { ErrorRow } from '@outrigger/runtime'
import type { Answer, Driver, Failure, Row } from './operations.ts'

/**
 * Runs a row over one protocol; says what is not as it should be. `undefined` when all is, or when it is not there.
 * `lenient`: failures without details over HTTP may have none over gRPC either.
 */
export async function problemOf(row: Row, driver: Driver, lenient = false): Promise<string | undefined> {
  for (const before of row.given ?? []) {
    const answer = await driver.run(before)
    if (answer !== undefined && 'failure' in answer) return `${before.op} failed before: ${textOf(answer)}`
  }
  const answer = await driver.run(row.when)
  if (answer === undefined) return undefined
  const success = driver.face === 'gRPC' ? (row.grpc ?? row) : row
  if (row.fails === undefined || 'value' in success) {
    if ('value' in answer && isDeepStrictEqual(plain(answer.value), plain(success.value))) return undefined
    return `expected ${JSON.stringify(success.value)}, got ${textOf(answer)}`
  }
  const expected = failureFor(row.fails, driver.face)
  if ('value' in answer) return `expected ${JSON.stringify(expected)}, got ${textOf(answer)}`
  const { message, ...got } = answer.failure
  if (message === '') return 'the failure has no message'
  const wrong = Object.entries(expected).filter(
    ([name, value]) =>
      !isDeepStrictEqual(got[name as keyof typeof got], value) &&
      !(lenient && name === 'reason' && got.reason === undefined && !isRich(row.fails!)),
  )
  if (wrong.length === 0) return undefined
  return `expected ${JSON.stringify(Object.fromEntries(wrong))}, got ${textOf(answer)}`
}

function isRich(id: keyof typeof errorTable): boolean {
  const row: ErrorRow = errorTable[id]
  return row.rich === true
}

/** What the error table promises in each protocol. */
function failureFor(id: keyof typeof errorTable, face: Driver['face']): Partial<Failure> {
  const row: ErrorRow = errorTable[id]
  switch (face) {
    case 'HTTP':
      return {
        status: row.http,
        errorCode: row.code,
        ...(row.rich === true ? { reason: row.reason ?? row.code } : { details: undefined }),
      }
    case 'gRPC':
      return { grpc: row.grpc, reason: row.reason ?? row.code }
    case 'in-process':
      return { id }
  }
}

function textOf(answer: Answer): string {
  return JSON.stringify('value' in answer ? { value: answer.value } : answer.failure)?.slice(0, 400)
}

/** Prototypes and kinds of bytes do not count. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
