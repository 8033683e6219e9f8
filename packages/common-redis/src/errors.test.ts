import { expect, test } from 'vitest'
import { isFinalConnectError, replyCode, toComponentError, wasRefused } from './errors.ts'

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })
const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

test.each([
  ['WRONGPASS invalid username-password pair or user is disabled.', 'UNAUTHENTICATED'],
  ['NOAUTH Authentication required.', 'UNAUTHENTICATED'],
  ['ERR invalid password', 'UNAUTHENTICATED'],
  ["NOPERM this user has no permissions to run the 'hset' command", 'PERMISSION_DENIED'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'RESOURCE_EXHAUSTED'],
  [
    "ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -OOM command not allowed when used memory > 'maxmemory'.",
    'RESOURCE_EXHAUSTED',
  ],
  ['ERR max number of clients reached', 'RESOURCE_EXHAUSTED'],
  ["READONLY You can't write against a read only replica.", 'UNAVAILABLE'],
  ['LOADING Redis is loading the dataset in memory', 'UNAVAILABLE'],
  ['CLUSTERDOWN The cluster is down', 'UNAVAILABLE'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'FAILED_PRECONDITION'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'UNSUPPORTED'],
  ['ERR DB index is out of range', 'INVALID_METADATA'],
  ['ERR something new', 'INTERNAL'],
])('%s is %s', (message, code) => {
  const error = toComponentError(reply(message), 'localhost:6379')
  expect(error.code).toBe(code)
  expect(error.message).toContain('localhost:6379')
})

test.each([
  [system('ECONNREFUSED'), 'UNAVAILABLE', 'connection refused', true],
  [system('ETIMEDOUT'), 'UNAVAILABLE', 'dialTimeout', true],
  [system('EPROTO'), 'UNAVAILABLE', 'does the server speak TLS', false],
  [system('SELF_SIGNED_CERT_IN_CHAIN'), 'UNAVAILABLE', 'TLS failed', false],
  [new Error('Connection is closed.'), 'UNAVAILABLE', 'the connection was lost', true],
  [new Error('Socket timeout. Expecting data'), 'UNAVAILABLE', 'readTimeout', true],
] as const)('%s', (raw, code, text, retryable) => {
  const error = toComponentError(raw, 'h:1')
  expect([error.code, error.retryable]).toEqual([code, retryable])
  expect(error.message).toContain(text)
})

test('neither message nor cause repeats the arguments of the command', () => {
  const raw = Object.assign(reply("ERR unknown command 'auth', with args beginning with: 'hunter2'"), {
    command: { name: 'auth', args: ['hunter2'] },
  })
  const error = toComponentError(raw, 'h:1')
  expect(error.code).toBe('UNSUPPORTED')
  expect(error.message).toContain('unknown command')
  const cause = error.cause as Error
  expect(`${error.message} ${JSON.stringify(cause)} ${cause.message} ${cause.stack}`).not.toContain('hunter2')
  expect(replyCode(cause)).toBe('ERR')
})

test('what was refused may be repeated, and what cannot be mended is final', () => {
  expect(wasRefused(reply('LOADING Redis is loading'))).toBe(true)
  expect(wasRefused(reply('OOM command not allowed'))).toBe(false)
  expect(wasRefused(new Error('Connection is closed.'))).toBe(false)
  expect(isFinalConnectError(reply('WRONGPASS invalid'))).toBe(true)
  expect(isFinalConnectError(reply('LOADING Redis is loading'))).toBe(false)
  expect(isFinalConnectError(system('ECONNREFUSED'))).toBe(false)
})
