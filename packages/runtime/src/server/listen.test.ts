import { recordingLogger } from '@outrigger/testkit'
import { type ListenAddress, type Server, WireError } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { listenError, listenOn } from './listen.ts'

const what = { api: 'the HTTP API', flag: 'dapr-http-port', addressFlag: 'dapr-listen-addresses' }
const errno = (code: string): Error => Object.assign(new Error(`listen ${code}: some text`), { code })

test.each([
  ['EADDRINUSE', 'it is in use: choose another with --dapr-http-port'],
  ['EACCES', 'it is not permitted, or there is no such folder: choose another with --dapr-http-port'],
  ['EADDRNOTAVAIL', 'this machine has no such address: correct --dapr-listen-addresses'],
  ['EAFNOSUPPORT', 'this machine has no IPv6: correct --dapr-listen-addresses'],
  ['ENOTFOUND', 'there is no such address: correct --dapr-listen-addresses'],
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

/** A machine that fails for some addresses. */
function machine(failures: Readonly<Record<string, string>>): Server {
  const listen = async (address: ListenAddress) => {
    const { host = '*', port = 0 } = address as { host?: string; port?: number }
    const code = failures[host]
    if (code !== undefined) throw new WireError('LISTEN', 'cannot listen', { cause: errno(code) })
    return { host, port }
  }
  return { listen } as unknown as Server
}

test.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])('an address that is not there is left out: %s', async (code) => {
  const logger = recordingLogger()
  const bound = await listenOn(machine({ '[::1]': code }), what, ['[::1]', '127.0.0.1'], 3500, logger)
  expect(bound).toEqual([{ host: '127.0.0.1', port: 3500 }])
  expect(logger.messages('warn')).toEqual([
    expect.stringMatching(
      /^the HTTP API cannot listen on \[::1\]:3500: .*: correct --dapr-listen-addresses$/,
    ),
  ])
})

test('it must be able to listen on one of them', async () => {
  const nowhere = machine({ '10.0.0.1': 'EADDRNOTAVAIL', '10.0.0.2': 'EADDRNOTAVAIL' })
  await expect(
    listenOn(nowhere, what, ['10.0.0.1', '10.0.0.2'], 3500, recordingLogger()),
  ).rejects.toMatchObject({
    lines: [expect.stringContaining('10.0.0.1'), expect.stringContaining('10.0.0.2')],
  })
})

test('a port that is taken on one of them stops the start', async () => {
  const taken = machine({ '127.0.0.1': 'EADDRINUSE' })
  await expect(listenOn(taken, what, ['[::1]', '127.0.0.1'], 3500, recordingLogger())).rejects.toMatchObject({
    lines: [expect.stringContaining('it is in use')],
  })
})
