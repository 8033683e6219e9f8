import { expect, test } from 'vitest'
import { answerError, sidecarError } from './answer-error.ts'

const body = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`

test('an error with details has a reason and what it is about', () => {
  const error = answerError(
    400,
    body({
      errorCode: 'ERR_STATE_STORE_NOT_FOUND',
      message: 'state store x is not found',
      details: [
        {
          '@type': type('ErrorInfo'),
          reason: 'DAPR_STATE_NOT_FOUND',
          domain: 'dapr.io',
          metadata: { appID: 'a' },
        },
        { '@type': type('ResourceInfo'), resourceType: 'state', resourceName: 'x' },
        { '@type': type('BadRequest'), field_violations: [{ field: 'k', description: 'no' }] },
        { '@type': type('Help'), links: [{ url: 'https://x', description: 'read' }] },
      ],
    }),
  )
  expect(error).toMatchObject({
    name: 'OutriggerError',
    status: 400,
    grpcStatus: 'INVALID_ARGUMENT',
    errorCode: 'ERR_STATE_STORE_NOT_FOUND',
    reason: 'DAPR_STATE_NOT_FOUND',
    message: 'state store x is not found',
    details: {
      metadata: { appID: 'a' },
      resource: { type: 'state', name: 'x' },
      violations: [{ field: 'k', description: 'no' }],
      help: [{ url: 'https://x', description: 'read' }],
    },
    retryable: false,
  })
})

test('the status tells errors with one code apart', () => {
  const at = (status: number) =>
    answerError(status, body({ errorCode: 'ERR_STATE_SAVE', message: 'm' })).grpcStatus
  expect([at(409), at(400), at(500)]).toEqual(['ABORTED', 'INVALID_ARGUMENT', 'INTERNAL'])
})

test.each([
  [503, '', 'the sidecar answered 503', 'UNAVAILABLE', true],
  [401, 'invalid api token', 'invalid api token', 'UNAUTHENTICATED', false],
  [500, '[1]', '[1]', 'INTERNAL', false],
  [502, '<html>', '<html>', 'UNAVAILABLE', true],
  [
    500,
    '{"details":[null,1,{"@type":7}],"message":3}',
    '{"details":[null,1,{"@type":7}],"message":3}',
    'INTERNAL',
    false,
  ],
])('%i %s', (status, text, message, grpcStatus, retryable) => {
  expect(answerError(status, body(text))).toMatchObject({
    status,
    message,
    grpcStatus,
    retryable,
    errorCode: undefined,
  })
})

test('an answer of an application is no error of the sidecar, unless it looks like one of its own', () => {
  expect(sidecarError(500, body({ errorCode: 'ERR_DIRECT_INVOKE', message: 'm' }))?.message).toBe('m')
  expect(sidecarError(500, body({ errorCode: 'ERR_OUT_OF_PAPER', message: 'm' }))).toBeUndefined()
  expect(sidecarError(418, body({ errorCode: 'ERR_DIRECT_INVOKE', message: 'm' }))).toBeUndefined()
  expect(sidecarError(500, body('boom'))).toBeUndefined()
})
