import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cases } from '../../interop/cases.ts'
import { selfSigned } from '../../interop/certificate.ts'
import { peers } from '../../interop/peers.ts'
import type { Caller, Certificate, Server } from '../../interop/peer.ts'
import { createRuntime, type Runtime } from '@outrigger/runtime'
import { recordingLogger } from '@outrigger/testkit'

const folder = mkdtempSync(join(tmpdir(), 'app-proxy-'))
let certificate: Certificate
beforeAll(() => {
  certificate = selfSigned(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A caller that names the application in the metadata of every call. */
function named(caller: Caller, fields: Readonly<Record<string, string>>): Caller {
  return {
    call: (method, requests, options = {}) =>
      caller.call(method, requests, { ...options, metadata: { ...options.metadata, ...fields } }),
    close: () => caller.close(),
  }
}

async function start(port: number, appProtocol: 'http' | 'grpc' | 'grpcs'): Promise<Runtime> {
  const options = { appPort: port, appProtocol, appMaxConcurrency: 1, appApiToken: 'secret' }
  const ports = { listen: true, httpPort: 0, grpcPort: 0, listenAddresses: ['127.0.0.1'] }
  const runtime = createRuntime({ appId: 'shop', logger: recordingLogger(), ...ports, ...options })
  await runtime.start()
  return runtime
}

// Methods of the application that the sidecar knows nothing of: any number of messages either way.
describe.each([
  ['grpc-js', 'grpc-js', false],
  ['connect-node', 'grpc-js', true],
  ['ours', 'connect-node', true],
  ['grpc-js', 'ours', false],
] as const)('%s calls its own application, which is %s (TLS: %s)', (client, server, secure) => {
  let app: Server
  let runtime: Runtime
  let caller: Caller
  beforeAll(async () => {
    app = await peers[server].serve(secure ? certificate : undefined)
    runtime = await start(app.port, secure ? 'grpcs' : 'grpc')
    const plain = peers[client].call({ port: runtime.addresses.grpcPort!, certificate: undefined })
    caller = named(plain, { 'dapr-app-id': 'shop' })
  })
  afterAll(async () => {
    caller.close()
    await runtime.stop()
    await app.close()
  })

  it.each(Object.entries(cases))('%s', (_, run) => run(caller))
})

describe('a call of a method that the sidecar has not', () => {
  async function outcome(fields: Readonly<Record<string, string>>, protocol: 'http' | 'grpc' = 'grpc') {
    const app = await peers.ours.serve()
    const runtime = await start(app.port, protocol)
    const caller = peers.ours.call({ port: runtime.addresses.grpcPort!, certificate: undefined })
    try {
      const messages: string[] = []
      const call = named(caller, fields).call('Unary', requests())
      for await (const it of call.messages) messages.push(Buffer.from(it).toString())
      return { ...(await call.outcome), messages }
    } finally {
      caller.close()
      await runtime.stop()
      await app.close()
    }
  }

  async function* requests(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('hello')
  }

  it.each(['dapr-app-id', 'dapr-callee-app-id'])('goes to the application that %s names', async (name) => {
    expect(await outcome({ [name]: 'shop' })).toMatchObject({ code: 0, messages: ['hello'] })
    expect(await outcome({ [name]: 'shop.default' })).toMatchObject({ code: 0 })
  })

  it.each([
    ['without a name', {}, 'grpc', 12, 'unknown method'],
    ['with a name that cannot be looked up', { 'dapr-app-id': 'other' }, 'grpc', 13, 'npm install'],
    ['of an application that speaks HTTP', { 'dapr-app-id': 'shop' }, 'http', 9, '--app-protocol=grpc'],
  ] as const)('%s is refused', async (_, fields, protocol, code, message) => {
    expect(await outcome(fields, protocol)).toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
      messages: [],
    })
  })
})
