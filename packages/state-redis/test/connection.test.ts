import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { describeWithService, say, startService } from '@outrigger/services'
import { freePort } from '@outrigger/testkit'
import { beforeAll, expect, test } from 'vitest'
import { json, open, plain, printed, rejection, textOf, until } from './helpers.ts'

const get = (key: string) => ({ key, metadata: {} })
const set = (key: string, text: string) => ({ key, value: json(text), metadata: {} })

test('a server that is not there is named, with the reason', async () => {
  const port = await freePort()
  const error = await rejection(open({ redisHost: `127.0.0.1:${port}`, redisMaxRetries: '0' }))
  expect(error.code).toBe('UNAVAILABLE')
  expect(error.message).toBe(`cannot connect: redis at 127.0.0.1:${port}: connection refused`)
})

test('creation ends with its signal when the server accepts and says nothing, and leaves no socket', async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket))
      .resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const controller = new AbortController()
  const opening = rejection(open({ redisHost: `127.0.0.1:${port}` }, controller.signal))
  await until('the connection', () => Promise.resolve(sockets.size > 0))
  controller.abort()
  expect((await opening).message).toContain('no answer before the time to connect was over')
  await until('the socket to be closed', () => Promise.resolve(sockets.size === 0))
  await new Promise((resolve) => server.close(resolve))
})

describeWithService('redis', 'a server with a password', (service) => {
  const at = () => `${service().host}:${service().port}`

  beforeAll(() => say(service(), 'CONFIG SET requirepass right-one'))

  test('lets in who knows it', async () => {
    const store = await open({ redisHost: at(), redisPassword: 'right-one' })
    await store.set(set('k', '1'), plain)
    expect(await textOf(store, 'k')).toBe('1')
    await store.close()
  })

  test.each([
    ['wrong-one', 'WRONGPASS'],
    [undefined, 'NOAUTH'],
  ])('refuses %s at once, and no error repeats it', async (redisPassword, word) => {
    const error = await rejection(
      open({ redisHost: at(), ...(redisPassword === undefined ? {} : { redisPassword }) }),
    )
    expect(error.code).toBe('UNAUTHENTICATED')
    expect(error.message).toContain(word)
    expect(error.message).toContain(at())
    expect(printed(error)).not.toContain('wrong-one')
  })
})

describeWithService('redis', 'a connection', (service) => {
  const at = () => `${service().host}:${service().port}`

  test('a database that does not exist is an error of the metadata', async () => {
    const error = await rejection(open({ redisHost: at(), redisDB: '99' }))
    expect(error.code).toBe('INVALID_METADATA')
  })

  test('databases are kept apart', async () => {
    const [first, second] = [await open({ redisHost: at() }), await open({ redisHost: at(), redisDB: '1' })]
    await first.set(set('apart', '1'), plain)
    expect(await textOf(second, 'apart')).toBeUndefined()
    await Promise.all([first.close(), second.close()])
  })

  test('what a user may not do is PERMISSION_DENIED', async () => {
    await say(service(), 'ACL SETUSER reader on >pw ~* +@all -@scripting')
    const store = await open({ redisHost: at(), redisUsername: 'reader', redisPassword: 'pw' })
    expect((await rejection(store.set(set('k', '1'), plain))).code).toBe('PERMISSION_DENIED')
    await store.close()
  })

  test('a script that the server has forgotten is sent again', async () => {
    const store = await open({ redisHost: at() })
    await store.set(set('k', '1'), plain)
    await say(service(), 'SCRIPT FLUSH')
    await store.set(set('k', '2'), plain)
    expect(await textOf(store, 'k')).toBe('2')
    await store.close()
  })

  test('close leaves no connection behind', async () => {
    const connections = async () => (await say(service(), 'CLIENT LIST')).match(/^id=/gm)!.length
    const before = await connections()
    const stores = await Promise.all(Array.from({ length: 5 }, () => open({ redisHost: at() })))
    expect(await connections()).toBeGreaterThanOrEqual(before + 5)
    await Promise.all(stores.map((store) => store.close()))
    await until('the connections to go', async () => (await connections()) <= before)
  })

  test('a server that hangs fails what is under way, and is used again when it goes on', async () => {
    const store = await open({ redisHost: at(), readTimeout: '300ms', redisMaxRetries: '1' })
    await store.set(set('k', '1'), plain)
    process.kill(service().pid, 'SIGSTOP')
    try {
      const errors = await Promise.all([
        rejection(store.get(get('k'), plain)),
        rejection(store.set(set('k', '2'), plain)),
      ])
      expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
    } finally {
      process.kill(service().pid, 'SIGCONT')
    }
    await until('the connection', () =>
      textOf(store, 'k').then(
        () => true,
        () => false,
      ),
    )
    await store.close()
  })

  test('a server that starts a little later is waited for', async () => {
    await service().kill()
    const opening = open({ redisHost: at() })
    // Well after all repetitions of a request are over.
    await new Promise((resolve) => setTimeout(resolve, 600))
    await service().restart()
    const store = await opening
    await store.set(set('late', '1'), plain)
    expect(await textOf(store, 'late')).toBe('1')
    await store.close()
  })

  test('an operation that is under way is cancelled by its signal', async () => {
    const store = await open({ redisHost: at() })
    process.kill(service().pid, 'SIGSTOP')
    try {
      const controller = new AbortController()
      const error = rejection(store.get(get('k'), { signal: controller.signal }))
      controller.abort()
      expect((await error).code).toBe('CANCELLED')
    } finally {
      process.kill(service().pid, 'SIGCONT')
    }
    await store.close()
  })

  test('an outage fails operations after a bounded time, and is over by itself', async () => {
    const store = await open({ redisHost: at(), redisMaxRetryInterval: '100ms' })
    await store.set(set('k', '1'), plain)
    await service().kill()
    const errors = await Promise.all([
      rejection(store.get(get('k'), plain)),
      rejection(store.set(set('k', '2'), plain)),
      rejection(
        store.transact!(
          { operations: [{ operation: 'upsert', request: set('k', '2') }], metadata: {} },
          plain,
        ),
      ),
      rejection(store.ping!(plain)),
    ])
    expect(errors.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'UNAVAILABLE'))
    expect(errors[1]!.message).toContain(at())
    const [failure] = await store.bulkSet!([set('k', '2')], plain)
    expect(failure!.key).toBe('k')
    await service().restart()
    await until('the connection', () =>
      store.ping!(plain).then(
        () => true,
        () => false,
      ),
    )
    await store.set(set('k', '3'), plain)
    expect(await textOf(store, 'k')).toBe('3')
    await store.close()
  })

  test('closing while the server is away resolves', async () => {
    const store = await open({ redisHost: at() })
    await service().kill()
    const waiting = rejection(store.get(get('k'), plain))
    await store.close()
    expect((await waiting).code).toMatch(/CLOSED|UNAVAILABLE/)
    await service().restart()
  })
})

describeWithService('redis', 'TLS', (service) => {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: service().dataDir, stdio: 'ignore' })

  test('checks the certificate of the server against caCert', async () => {
    const folder = service().dataDir
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
      '-keyout',
      'key.pem',
      '-out',
      'cert.pem',
    )
    const port = `${await freePort()}`
    const files = ['--tls-cert-file', join(folder, 'cert.pem'), '--tls-key-file', join(folder, 'key.pem')]
    const server = await startService('redis', {
      args: ['--tls-port', port, ...files, '--tls-ca-cert-file', join(folder, 'cert.pem')],
    })
    try {
      const [caCert, clientKey] = [
        readFileSync(join(folder, 'cert.pem'), 'utf8'),
        readFileSync(join(folder, 'key.pem'), 'utf8'),
      ]
      const redisHost = `127.0.0.1:${port}`
      const client = { redisHost, enableTLS: 'true', clientCert: caCert, clientKey }
      for (const trust of [{ caCert }, { insecureSkipTLSVerify: 'true' }]) {
        const store = await open({ ...client, ...trust })
        await store.set(set('k', '1'), plain)
        expect(await textOf(store, 'k')).toBe('1')
        await store.close()
      }
      const untrusted = await rejection(open(client))
      expect([untrusted.code, untrusted.retryable]).toEqual(['UNAVAILABLE', false])
      expect(untrusted.message).toContain('TLS failed')
      const impatient = { dialTimeout: '300ms', redisMaxRetries: '0' }
      const toPlain = await rejection(
        open({ ...client, ...impatient, redisHost: `127.0.0.1:${server.port}`, caCert }),
      )
      expect([toPlain.code, toPlain.message]).toEqual(['UNAVAILABLE', expect.stringContaining('dialTimeout')])
      expect((await rejection(open({ redisHost, redisMaxRetries: '0' }))).code).toBe('UNAVAILABLE')
    } finally {
      await server.stop()
    }
  })
})
