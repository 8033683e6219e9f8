import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectSecure } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { createGrpcHandler, GrpcChannel, rawCodec, type ServerCall } from '../src/grpc/index.ts'
import { isWireError, type Client, type Handler, type TlsOptions } from '../src/index.ts'
import { createHttp2Client } from '../src/http2/index.ts'
import { mustRun, findProgram } from './http2/setup.ts'
import { cleanup, client, serve, text, until } from './setup.ts'

const openssl = findProgram('openssl', 'apt-get install openssl')
const found = typeof openssl !== 'string'
const folder = mkdtempSync(join(tmpdir(), 'wire-mtls-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Authority {
  readonly ca: string
  /** A certificate whose only name is an identity: `spiffe://domain/ns/default/name`. */
  issue(
    name: string,
    extensions?: readonly string[],
    signer?: string,
  ): { readonly cert: string; readonly key: string; readonly ca: string }
}

function authority(domain: string): Authority {
  const file = (name: string): string => join(folder, `${domain}-${name}.pem`)
  const make = (name: string, ...more: string[]): void => {
    const options = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj'.split(' ')
    execFileSync(
      'openssl',
      [...options, `/CN=${name}`, '-keyout', file(`${name}-key`), '-out', file(name), ...more],
      {
        stdio: 'pipe',
      },
    )
  }
  make('root')
  const read = (name: string): string => readFileSync(file(name), 'utf8')
  return {
    ca: read('root'),
    issue(name, extensions = [], signer = 'root') {
      const names = [`subjectAltName=URI:spiffe://${domain}/ns/default/${name}`, ...extensions]
      make(
        name,
        ...names.flatMap((each) => ['-addext', each]),
        '-CA',
        file(signer),
        '-CAkey',
        file(`${signer}-key`),
      )
      return { cert: read(name), key: read(`${name}-key`), ca: read('root') }
    },
  }
}

const who: Handler = (request, response) =>
  response.send(200, [], request.peerCertificate?.subjectAltName ?? 'nobody')

/** Accepts a server by its identity. */
const only =
  (id: string): NonNullable<TlsOptions['verifyServer']> =>
  (certificate) =>
    certificate.subjectAltName === `URI:${id}` ? undefined : new Error(`not ${id}`)

const makers: readonly (readonly [string, (tls: TlsOptions) => Client])[] = [
  ['HTTP/1.1', (tls) => client({ tls })],
  [
    'HTTP/2',
    (tls) => {
      const created = createHttp2Client({ tls })
      cleanup(() => created.close())
      return created
    },
  ],
]

describe.each(makers)('mutual TLS over %s', (protocol, connect) => {
  if (!found && !mustRun) return it.skip('needs openssl', () => {})
  const version = protocol.at(-1)!
  const ours = authority(`td-${version}`)
  const foreign = authority(`foreign-${version}`)
  const server = ours.issue('server')
  const alice = ours.issue('alice')
  const domain = `spiffe://td-${version}/ns/default`
  const options = { tls: { ...server, requireClientCert: true }, protocols: ['http/1.1', 'h2'] as const }
  const ask = async (own: Client, port: number): Promise<string> =>
    text(await (await own.request({ origin: `https://127.0.0.1:${port}` })).body.bytes())

  it('shows each side who the other is', async () => {
    const { port, server: running } = await serve(who, options)
    const own = connect({ ...alice, verifyServer: only(`${domain}/server`) })
    expect(await ask(own, port)).toBe(`URI:${domain}/alice`)
    expect(await ask(own, port)).toBe(`URI:${domain}/alice`)
    expect(running.stats.connectionsTotal).toBe(1)
  })

  it('tells whom it asked for when it decides who the server may be', async () => {
    const { port } = await serve(who, options)
    const asked: string[] = []
    const own = connect({
      ...alice,
      verifyServer: (_, authority) => {
        asked.push(authority)
        return undefined
      },
    })
    await ask(own, port)
    expect(asked).toEqual([`127.0.0.1:${port}`])
  })

  it('shows who the client is on a session that was resumed as well', async () => {
    const { port, server: running } = await serve(who, options)
    const own = connect({ ...alice, verifyServer: only(`${domain}/server`) })
    await ask(own, port)
    // The ticket comes behind the first answer; a second connection at once is made with it.
    const answers = await Promise.all([ask(own, port), ask(own, port), ask(own, port)])
    expect(answers).toEqual(Array(3).fill(`URI:${domain}/alice`))
    expect(running.stats.connectionsTotal).toBe(protocol === 'HTTP/2' ? 1 : 3)
  })

  it('refuses a server with another identity, a foreign one, and one that is not asked who it is', async () => {
    const { port, server: running } = await serve(who, options)
    const refused = (tls: TlsOptions): Promise<unknown> =>
      ask(connect(tls), port).catch((error: unknown) => error)
    const wrong = await refused({ ...alice, verifyServer: only(`${domain}/other`) })
    expect(isWireError(wrong, 'CONNECT')).toBe(true)
    expect((wrong as Error).message).toContain(`not ${domain}/other`)
    const unknown = await refused({ ...alice, ca: foreign.ca, verifyServer: only(`${domain}/server`) })
    expect(isWireError(unknown, 'CONNECT')).toBe(true)
    expect(isWireError(await refused(alice), 'CONNECT')).toBe(true)
    expect(running.stats.requestsTotal).toBe(0)
  })

  it('refuses a client of a foreign authority, and one without a certificate', async () => {
    const { port, server: running } = await serve(who, options)
    const verifyServer = only(`${domain}/server`)
    for (const identity of [{ ...foreign.issue('alice'), ca: ours.ca }, { ca: ours.ca }]) {
      await expect(ask(connect({ ...identity, verifyServer }), port)).rejects.toSatisfy((error) =>
        isWireError(error),
      )
    }
    expect(running.stats.requestsTotal).toBe(0)
  })

  it('takes a certificate for nothing but what it was issued for', async () => {
    const { port, server: running } = await serve(who, options)
    const verifyServer = only(`${domain}/server`)
    const refused = (identity: TlsOptions, to = port): Promise<unknown> =>
      expect(ask(connect({ verifyServer, ...identity }), to)).rejects.toSatisfy((error) => isWireError(error))
    await refused(ours.issue('serves', ['extendedKeyUsage=serverAuth']))
    await refused(ours.issue('signs-code', ['extendedKeyUsage=codeSigning']))
    const calling = ours.issue('calls', ['extendedKeyUsage=clientAuth'])
    expect(await ask(connect({ ...calling, verifyServer }), port)).toBe(`URI:${domain}/calls`)
    // Signed by somebody who was given a certificate, and not the right to give more.
    const lesser = ours.issue('lesser', ['basicConstraints=critical,CA:FALSE'])
    const forged = ours.issue('forged', [], 'lesser')
    await refused({ ...forged, cert: `${forged.cert}${lesser.cert}` })
    expect(running.stats.requestsTotal).toBe(1)
    const other = await serve(who, { ...options, tls: { ...calling, requireClientCert: true } })
    await refused({ ...alice, verifyServer: () => undefined }, other.port)
    expect(other.server.stats.requestsTotal).toBe(0)
  })

  it('goes over to new certificates and a new authority without a break', async () => {
    const { port, server: running } = await serve(who, options)
    const own = connect({ ...alice, verifyServer: only(`${domain}/server`) })
    await ask(own, port)
    const next = foreign.issue('renewed')
    running.replaceTls({ ...next, ca: [ours.ca, foreign.ca] })
    // The connection that stands goes on; a new one meets the new certificate.
    expect(await ask(own, port)).toBe(`URI:${domain}/alice`)
    const both = [ours.ca, foreign.ca]
    const renewed = only(`spiffe://foreign-${version}/ns/default/renewed`)
    expect(await ask(connect({ ...alice, ca: both, verifyServer: renewed }), port)).toBe(
      `URI:${domain}/alice`,
    )
    const bob = foreign.issue('bob')
    const second = await serve(who, { ...options, tls: { ...next, ca: both, requireClientCert: true } })
    own.replaceTls({ ...bob, ca: both, verifyServer: renewed })
    expect(await ask(own, second.port)).toBe(`URI:spiffe://foreign-${version}/ns/default/bob`)
    // What HTTP/2 has open takes no new calls.
    const shown = version === '2' ? `URI:spiffe://foreign-${version}/ns/default/bob` : `URI:${domain}/alice`
    expect(await ask(own, port)).toBe(shown)
  })

  it('lets nobody in any more whose authority is not trusted any more, over whatever stands', async () => {
    const { port, server: running } = await serve(who, {
      ...options,
      tls: { ...server, ca: [ours.ca, foreign.ca], requireClientCert: true },
    })
    const bob = foreign.issue('bob')
    const connected = (): Client => connect({ ...bob, ca: ours.ca, verifyServer: only(`${domain}/server`) })
    const [own, resuming] = [connected(), connected()]
    const id = `URI:spiffe://foreign-${version}/ns/default/bob`
    for (const each of [own, resuming]) expect(await ask(each, port)).toBe(id)
    const friend = connect({ ...alice, verifyServer: only(`${domain}/server`) })
    await ask(friend, port)
    running.replaceTls({ ca: ours.ca })
    await until(() => running.stats.connections === 0, 'the connections end')
    for (const each of [own, resuming])
      await expect(ask(each, port)).rejects.toSatisfy((error) => isWireError(error))
    expect(await ask(friend, port)).toBe(`URI:${domain}/alice`)
  })

  it('lets a request finish that began before', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const { promise: free, resolve: release } = Promise.withResolvers<void>()
    const { port, server: running } = await serve(async (_, response) => {
      begin()
      await free
      response.send(200, [], 'done')
    }, options)
    const own = connect({ ...alice, verifyServer: only(`${domain}/server`) })
    const answer = ask(own, port)
    await begun
    running.replaceTls({ ca: foreign.ca })
    release()
    expect(await answer).toBe('done')
    await until(() => running.stats.connections === 0, 'the connection ends')
  })

  it('answers what comes with a handshake that began before, and nothing behind it', async () => {
    const { port, server: running } = await serve(who, options)
    const socket = connectPlain(port, '127.0.0.1')
    cleanup(() => socket.destroy())
    await until(() => running.stats.connectionsTotal === 1, 'the server has it')
    running.replaceTls({ ca: foreign.ca })
    const secure = connectSecure({ socket, ...alice, rejectUnauthorized: false })
    const ended = once(secure, 'close')
    let answer = ''
    secure.on('error', () => {}).on('data', (data: Buffer) => (answer += data.toString()))
    const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
    secure.write(request + request)
    await ended
    expect(answer).toContain(`URI:${domain}/alice`)
    expect(answer).toContain('connection: close')
    expect(running.stats.requestsTotal).toBe(1)
  })

  it('says at once what is wrong with certificates, and keeps those that it has', async () => {
    const bad = { ...alice, key: ours.issue('other').key }
    expect(() => connect(bad)).toThrow(/^the certificates or the key cannot be used: /)
    const { port, server: running } = await serve(who, options)
    const own = connect({ ...alice, verifyServer: only(`${domain}/server`) })
    expect(() => own.replaceTls(bad)).toThrow('cannot be used')
    expect(() => running.replaceTls({ cert: 'none' })).toThrow('cannot be used')
    expect(await ask(own, port)).toBe(`URI:${domain}/alice`)
    await expect(serve(who, { tls: { cert: 'none', key: 'none' } })).rejects.toSatisfy((error) =>
      isWireError(error, 'PROTOCOL'),
    )
  })

  it('has nothing to show where no certificate is asked for', async () => {
    const { port } = await serve(who, { tls: server, protocols: options.protocols })
    expect(await ask(connect({ ca: ours.ca, verifyServer: () => undefined }), port)).toBe('nobody')
  })
})

it.skipIf(!found && !mustRun)('makes a connection anew that was begun with former certificates', async () => {
  const own = authority('begun')
  const tls = { ...own.issue('server'), requireClientCert: true }
  const { port, server } = await serve(who, { tls, protocols: ['h2'] })
  const verifyServer = (): undefined => undefined
  const peer = createHttp2Client({ tls: { ...own.issue('alice'), verifyServer } })
  cleanup(() => peer.close())
  const answer = peer.request({ origin: `https://127.0.0.1:${port}` })
  peer.replaceTls({ ...own.issue('bob'), verifyServer })
  expect(text(await (await answer).body.bytes())).toBe('URI:spiffe://begun/ns/default/bob')
  expect(server.stats.requestsTotal).toBe(1)
})

it.skipIf(!found && !mustRun)('lets nobody take another identity on a connection that stands', async () => {
  const own = authority('again')
  const { port, server } = await serve(who, { tls: { ...own.issue('server'), requireClientCert: true } })
  const alice = own.issue('alice')
  const socket = connectSecure({
    port,
    ...alice,
    checkServerIdentity: () => undefined,
    maxVersion: 'TLSv1.2',
  })
  cleanup(() => socket.destroy())
  await once(socket, 'secureConnect')
  const failed = once(socket, 'error')
  server.replaceTls({ ca: own.ca })
  socket.renegotiate({}, () => socket.destroy(new Error('it was done')))
  expect(String(await failed)).toContain('no renegotiation')
})

it.skipIf(!found && !mustRun)('shows handlers of gRPC who calls', async () => {
  const own = authority('grpc')
  const method = { path: '/test.Who/Am', kind: 'unary' as const, input: rawCodec, output: rawCodec }
  const handler = createGrpcHandler({
    routes: [
      {
        method,
        handle: (_: Uint8Array, call: ServerCall) => Buffer.from(call.peerCertificate!.subjectAltName!),
      },
    ],
  })
  const tls = { ...own.issue('server'), requireClientCert: true }
  const { port } = await serve(handler, { tls, protocols: ['h2'] })
  const peer = createHttp2Client({ tls: { ...own.issue('alice'), verifyServer: () => undefined } })
  cleanup(() => peer.close())
  const channel = new GrpcChannel({ origin: `https://127.0.0.1:${port}`, client: peer })
  expect(text(await channel.call(method, Buffer.alloc(0)))).toBe('URI:spiffe://grpc/ns/default/alice')
})
