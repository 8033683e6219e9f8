import { WireError } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { listenError } from './listen.ts'

const what = { api: 'the HTTP API', flag: 'dapr-http-port' }
const errno = (code: string): Error => Object.assign(new Error(`listen ${code}: some text`), { code })

test.each([
  ['EADDRINUSE', 'it is in use: choose another with --dapr-http-port'],
  ['EACCES', 'it is not permitted, or there is no such folder: choose another with --dapr-http-port'],
  ['EADDRNOTAVAIL', 'this machine has no such address: correct --dapr-listen-addresses'],
  ['EOTHER', 'listen EOTHER: some text: choose another with --dapr-http-port'],
])('%s says what is the matter and what helps, once', (code, text) => {
  expect(listenError(errno(code), what, '127.0.0.1:3500').lines).toEqual([
    `the HTTP API cannot listen on 127.0.0.1:3500: ${text}`,
  ])
})

test('the reason is found in what wire throws', () => {
  const error = new WireError('LISTEN', 'cannot listen on 127.0.0.1:3500: in use', {
    cause: errno('EADDRINUSE'),
  })
  expect(listenError(error, what, '127.0.0.1:3500').message).toBe(
    'the HTTP API cannot listen on 127.0.0.1:3500: it is in use: choose another with --dapr-http-port',
  )
})
