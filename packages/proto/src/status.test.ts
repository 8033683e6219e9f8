import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { DebugInfoSchema, decodeStatus, encodeStatus, StatusSchema, type RichStatus } from './status.ts'

const full: RichStatus = {
  code: 3,
  message: 'no such store',
  details: {
    reason: 'DAPR_STATE_NOT_FOUND',
    domain: 'dapr.io',
    metadata: { appID: 'a' },
    resource: { type: 'state', name: 'orders', owner: 'a', description: 'd' },
    violations: [{ field: 'store', description: 'unknown' }],
    help: [{ description: 'read', url: 'https://example.com' }],
    retryAfterMs: 1500.5,
  },
}

test('everything comes back', () => expect(decodeStatus(encodeStatus(full))).toEqual(full))

test('details have their types, in a fixed order', () => {
  const { details } = fromBinary(StatusSchema, encodeStatus(full))
  expect(details.map(({ typeUrl }) => typeUrl)).toEqual(
    ['ErrorInfo', 'ResourceInfo', 'BadRequest', 'Help', 'RetryInfo'].map(
      (name) => `type.googleapis.com/google.rpc.${name}`,
    ),
  )
})

test('the domain is dapr.io unless another is given', () => {
  const read = decodeStatus(encodeStatus({ code: 5, message: '', details: { reason: 'X' } }))
  expect(read).toEqual({ code: 5, message: '', details: { reason: 'X', domain: 'dapr.io', metadata: {} } })
})

test('a status without details has none', () => {
  const bytes = encodeStatus({ code: 13, message: 'm', details: {} })
  expect([...bytes]).toEqual([8, 13, 18, 1, 109])
  expect(decodeStatus(bytes)).toEqual({ code: 13, message: 'm', details: {} })
})

test('details that are not known are left out', () => {
  const details = [anyPack(DebugInfoSchema, create(DebugInfoSchema, { detail: 'stack' }))]
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code: 2, message: 'm', details }))
  expect(decodeStatus(bytes)).toEqual({ code: 2, message: 'm', details: {} })
})

test('bytes that are no status, or hold a detail that is none, are undefined', () => {
  expect(decodeStatus(Uint8Array.of(10, 200))).toBeUndefined()
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Uint8Array.of(10, 200) }]
  expect(decodeStatus(toBinary(StatusSchema, create(StatusSchema, { code: 2, details })))).toBeUndefined()
})
