import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readClient, type Environment } from './client.ts'

const folder = mkdtempSync(join(tmpdir(), 'outrigger-consul-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'token'), 'from-file\n')
writeFileSync(join(folder, 'cert.pem'), 'CERT')
mkdirSync(join(folder, 'cas'))
writeFileSync(join(folder, 'cas', 'a.pem'), 'A')
writeFileSync(join(folder, 'cas', 'b.pem'), 'B')

const read = (value: unknown, env: Environment = {}) => readClient(value, env, folder)

test('without anything it is the agent of this machine', async () => {
  expect(await read(undefined)).toMatchObject({
    host: '127.0.0.1',
    port: 8500,
    tls: undefined,
    token: undefined,
  })
})

test.each([
  ['consul.internal', { host: 'consul.internal', port: 8500 }],
  ['http://10.0.0.1:1/', { host: '10.0.0.1', port: 1 }],
  ['[::1]:8600', { host: '::1', port: 8600 }],
  ['https://consul.internal', { host: 'consul.internal', port: 8501 }],
])('the address %s', async (address, expected) => {
  expect(await read({ address })).toMatchObject(expected)
})

test('names are read in upper and lower case alike, durations as text or nanoseconds', async () => {
  const written = {
    Address: 'a:1',
    Datacenter: 'dc2',
    HTTPAuth: { Username: 'u', Password: 'p:w' },
    WaitTime: 5_000_000_000,
    TOKEN: 't',
  }
  expect(await read(written)).toMatchObject({
    host: 'a',
    port: 1,
    datacenter: 'dc2',
    username: 'u',
    password: 'p:w',
    waitTimeMs: 5000,
    token: 't',
  })
  expect((await read({ waitTime: '10s' })).waitTimeMs).toBe(10_000)
})

test('what is left out comes from the variables of Consul', async () => {
  const env = {
    CONSUL_HTTP_ADDR: 'consul:9',
    CONSUL_HTTP_TOKEN: 'secret',
    CONSUL_HTTP_AUTH: 'me:pass:word',
    CONSUL_HTTP_SSL: 'true',
    CONSUL_CAPATH: 'cas',
    CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
    CONSUL_HTTP_SSL_VERIFY: 'false',
  }
  expect(await read({}, env)).toEqual({
    host: 'consul',
    port: 9,
    datacenter: undefined,
    token: 'secret',
    username: 'me',
    password: 'pass:word',
    waitTimeMs: undefined,
    tls: {
      ca: ['A', 'B'],
      cert: undefined,
      key: undefined,
      servername: 'server.dc1.consul',
      rejectUnauthorized: false,
    },
  })
  const own = { address: 'own:1', token: 'own', scheme: 'http' }
  expect(await read(own, env)).toMatchObject({ host: 'own', port: 1, token: 'own', tls: undefined })
  expect((await read({ tokenFile: 'token' }, env)).token).toBe('from-file')
})

test.each([
  [5, 'client must be an object'],
  [{ address: 'unix:///run/consul.sock' }, 'client.scheme must be http or https, got "unix"'],
  [{ address: 'a b' }, 'client.address must be a host and a port, such as 127.0.0.1:8500, got "a b"'],
  [{ address: 'a:1', scheme: 'ftp' }, 'client.scheme must be http or https, got "ftp"'],
  [{ waitTime: 'soon' }, 'client.waitTime must be a duration such as 10s'],
  [{ httpAuth: 'me' }, 'client.httpAuth must be an object'],
  [{ token: { secret: 1 } }, 'client.token must be a text'],
  [{ tokenFile: 'none' }, 'client.tokenFile none cannot be read (ENOENT)'],
  [
    { scheme: 'https', tlsConfig: { certFile: 'cert.pem' } },
    'client.tlsConfig must have certFile and keyFile, or neither',
  ],
  [
    { scheme: 'https', tlsConfig: { caFile: 'none' } },
    'client.tlsConfig.caFile none cannot be read (ENOENT)',
  ],
  [{ scheme: 'https', tlsConfig: { caPath: 'none' } }, 'client.tlsConfig.caPath none cannot be read'],
  [
    { scheme: 'https', tlsConfig: { insecureSkipVerify: 'perhaps' } },
    'insecureSkipVerify must be true or false',
  ],
])('%j is refused', async (value, message) => {
  await expect(read(value)).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message) as string,
  })
})
