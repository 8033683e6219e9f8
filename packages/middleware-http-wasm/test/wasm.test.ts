import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { recordingLogger, tempFolder, virtualClock, type TempFolder } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'
import { compile, fileOf, guest, type GuestText } from './guest.ts'

async function create(text: GuestText | string, more: Record<string, string> = {}) {
  const logger = recordingLogger()
  const clock = virtualClock()
  const url = await fileOf(await compile(typeof text === 'string' ? text : guest(text)))
  const instance = await createForTest(definition, { properties: { url, ...more }, logger, clock })
  const logged = () => logger.records.map(({ level, message }) => `${level} ${message}`)
  return { instance, logged, clock }
}

const pass = '(i64.const 1)'
const stop = '(i64.const 0)'

describe('conformance', () => {
  let folder: TempFolder
  middlewareConformance(definition, {
    properties: async () => {
      folder = await tempFolder()
      const text = guest({
        request: `(call $get_uri (i32.const 512) (i32.const 64))
          (if (result i64) (i32.eq (i32.const 3)) (then (call $set_status_code (i32.const 403)) ${stop}) (else ${pass}))`,
      })
      await writeFile(`${folder.path}/guest.wasm`, await compile(text))
      return { url: `file://${folder.path}/guest.wasm` }
    },
    teardown: () => folder.remove(),
    refused: { input: () => ({ target: '/no' }), status: 403 },
  })
})

describe('a module', () => {
  test('changes method, address, fields and body of a request', async () => {
    const { instance } = await create({
      data: ['PATCH', '/new%20path?a=1', 'x-set', 'x-added', 'one', 'x-gone', 'body'],
      request: `
        (call $set_method (i32.const 0) (i32.const 5))
        (call $set_uri (i32.const 64) (i32.const 15))
        (call $set_header_value (i32.const 0) (i32.const 128) (i32.const 5) (i32.const 256) (i32.const 3))
        (call $add_header_value (i32.const 0) (i32.const 192) (i32.const 7) (i32.const 256) (i32.const 3))
        (call $remove_header (i32.const 0) (i32.const 320) (i32.const 6))
        (call $write_body (i32.const 0) (i32.const 384) (i32.const 4))
        (call $write_body (i32.const 0) (i32.const 384) (i32.const 4))
        ${pass}`,
    })
    const { passed } = await exchange(instance, {
      fields: { 'x-set': 'a', 'x-added': 'a', 'x-gone': 'a' },
      body: 'former',
    })
    expect([passed?.method, passed?.target, passed?.text]).toEqual(['PATCH', '/new%20path?a=1', 'bodybody'])
    expect(passed?.fields.entries()).toEqual([
      ['x-added', 'a'],
      ['x-set', 'one'],
      ['x-added', 'one'],
    ])
  })

  test('sees a request, and answers it itself', async () => {
    const { instance } = await create({
      data: ['x-a', 'content-type', 'text/plain'],
      request: `
        (call $write_body (i32.const 1) (i32.const 1024) (call $get_method (i32.const 1024) (i32.const 64)))
        (call $write_body (i32.const 1) (i32.const 1024) (call $get_uri (i32.const 1024) (i32.const 64)))
        (call $write_body (i32.const 1) (i32.const 1024) (call $get_source_addr (i32.const 1024) (i32.const 64)))
        (call $write_body (i32.const 1) (i32.const 1024) (call $get_protocol_version (i32.const 1024) (i32.const 64)))
        (call $write_body (i32.const 1) (i32.const 1024) (i32.wrap_i64 (call $get_header_names (i32.const 0) (i32.const 1024) (i32.const 64))))
        (call $write_body (i32.const 1) (i32.const 1024) (i32.wrap_i64 (call $get_header_values (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 1024) (i32.const 64))))
        (call $set_header_value (i32.const 1) (i32.const 64) (i32.const 12) (i32.const 128) (i32.const 10))
        (call $set_status_code (i32.const 299))
        ${stop}`,
    })
    const fields = [
      ['x-a', '1'],
      ['x-a', 'é'],
    ] as const
    const outcome = await exchange(instance, {
      method: 'GET',
      target: '/p?q',
      remoteAddress: '::1',
      authority: 'shop',
      fields,
    })
    expect([
      outcome.status,
      outcome.bytes.toString(),
      outcome.fields.get('content-type'),
      outcome.passed,
    ]).toEqual([
      299,
      Buffer.from('GET/p?q[::1]:0HTTP/1.1x-a\0host\x001\0é\0', 'latin1').toString(),
      'text/plain',
      undefined,
    ])
  })

  test('is told how long a text is that does not fit, and may ask again', async () => {
    const { instance } = await create({
      data: ['AAAA'],
      request: `
        (local.set $n (call $get_uri (i32.const 0) (i32.const 3)))
        (call $write_body (i32.const 1) (i32.const 0) (i32.const 4))
        (call $write_body (i32.const 1) (i32.const 0) (call $get_uri (i32.const 0) (local.get $n)))
        ${stop}`,
    })
    expect((await exchange(instance, { target: '/abc' })).text).toBe('AAAA/abc')
  })

  test('reads the body of a request, which goes on all the same', async () => {
    const { instance } = await create({
      request: `
        (local.set $l (call $read_body (i32.const 0) (i32.const 0) (i32.const 4)))
        (if (i64.ne (local.get $l) (i64.const 4)) (then (unreachable)))
        (local.set $l (call $read_body (i32.const 0) (i32.const 4) (i32.const 4)))
        (if (i64.ne (local.get $l) (i64.const 0x100000002)) (then (unreachable)))
        (call $set_method (i32.const 0) (i32.const 6))
        ${pass}`,
    })
    const { passed } = await exchange(instance, {
      method: 'POST',
      body: 'METHOD',
      fields: { 'content-length': '6' },
    })
    expect([passed?.method, passed?.text, passed?.fields.get('content-length')]).toEqual([
      'METHOD',
      'METHOD',
      '6',
    ])
  })

  test('changes an answer that it buffers: status, fields, and body', async () => {
    const { instance } = await create({
      data: ['[', ']', 'x-a', 'new'],
      request: `(drop (call $enable_features (i32.const 2))) ${pass}`,
      response: `
        (local.set $l (call $read_body (i32.const 1) (i32.const 1024) (i32.const 64)))
        (call $write_body (i32.const 1) (i32.const 0) (i32.const 1))
        (call $write_body (i32.const 1) (i32.const 1024) (i32.wrap_i64 (local.get $l)))
        (call $write_body (i32.const 1) (i32.const 64) (i32.const 1))
        (call $set_header_value (i32.const 1) (i32.const 128) (i32.const 3) (i32.const 192) (i32.const 3))
        (call $set_status_code (i32.add (call $get_status_code) (i32.const 1)))`,
    })
    const answer = { status: 200, body: 'app', fields: { 'x-a': 'old', 'content-length': '3' } }
    const outcome = await exchange(instance, {}, () => answer)
    expect([outcome.status, outcome.text, Object.fromEntries(outcome.fields.entries())]).toEqual([
      201,
      '[app]',
      { 'x-a': 'new' },
    ])
  })

  test('sets fields and writes before those behind, and both are there', async () => {
    const { instance } = await create({
      data: ['x-a', 'x-b', 'own', 'before '],
      request: `
        (call $set_header_value (i32.const 1) (i32.const 0) (i32.const 3) (i32.const 128) (i32.const 3))
        (call $set_header_value (i32.const 1) (i32.const 64) (i32.const 3) (i32.const 128) (i32.const 3))
        (call $write_body (i32.const 1) (i32.const 192) (i32.const 7))
        ${pass}`,
    })
    const outcome = await exchange(instance, {}, () => ({ body: 'app', fields: { 'x-b': 'theirs' } }))
    expect([outcome.text, Object.fromEntries(outcome.fields.entries())]).toEqual([
      'before app',
      { 'x-a': 'own', 'x-b': 'theirs' },
    ])
  })

  test('is told what it said of a request, and whether that failed', async () => {
    const { instance, logged } = await create({
      data: ['failed', '....'],
      request: '(i64.const 0x2A00000001)',
      response: `
        (i32.store8 (i32.const 64) (local.get $context))
        (call $log (i32.const 0) (i32.const 64) (i32.const 1))
        (if (local.get $failed) (then (call $log (i32.const 1) (i32.const 0) (i32.const 6))))`,
    })
    await exchange(instance)
    expect(logged()).toEqual(['info *'])
    const failing = exchange(instance, {}, () => Promise.reject(new Error('gone')))
    await expect(failing).rejects.toThrow('gone')
    expect(logged()).toEqual(['info *', 'info *', 'warn failed'])
  })

  test('reads its configuration, and logs when it starts', async () => {
    const { logged } = await create(
      {
        start: `
          (call $log (i32.const 0) (i32.const 0) (call $get_config (i32.const 0) (i32.const 64)))
          (call $log (i32.const -1) (i32.const 0) (i32.const 1))
          (call $log (i32.const 2) (i32.const 0) (i32.const 1))
          (call $log (i32.const 3) (i32.const 0) (i32.const 1))
          (if (call $log_enabled (i32.const 3)) (then (unreachable)))
          (if (i32.eqz (call $log_enabled (i32.const -1))) (then (unreachable)))`,
      },
      { guestConfig: 'any é' },
    )
    expect(logged()).toEqual(['info any é', 'debug a', 'error a'])
  })

  test('asks for features for every request when it starts; there are two', async () => {
    const { instance } = await create({
      start: '(if (i32.ne (call $enable_features (i32.const 7)) (i32.const 3)) (then (unreachable)))',
      response: '(call $set_status_code (i32.const 201))',
    })
    expect((await exchange(instance)).status).toBe(201)
    expect((await exchange(instance)).status).toBe(201)
  })

  test('has one instance for each request under way', async () => {
    const { instance } = await create({
      more: '(global $count (mut i32) (i32.const 0))',
      request: `
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i64.or (i64.const 1) (i64.shl (i64.extend_i32_u (global.get $count)) (i64.const 32)))`,
      response:
        '(drop (call $enable_features (i32.const 2))) (call $set_status_code (i32.add (i32.const 200) (local.get $context)))',
    })
    const status = async (behind = () => Promise.resolve({})) => (await exchange(instance, {}, behind)).status
    expect([await status(), await status()]).toEqual([201, 202])
    const gate = Promise.withResolvers<object>()
    const both = [status(() => gate.promise), status(() => gate.promise)]
    gate.resolve({})
    expect(await Promise.all(both)).toEqual([203, 201])
  })
})

describe('what a module must not do ends its request, and no other', () => {
  test.each([
    ['trap', '(unreachable)', ''],
    ['point outside of its memory', '(call $set_uri (i32.const 65530) (i32.const 100)) (i64.const 1)', ''],
    ['point far outside', '(call $set_uri (i32.const -8) (i32.const 100)) (i64.const 1)', ''],
    ['set an address that is none', '(call $set_uri (i32.const 0) (i32.const 3)) (i64.const 1)', ''],
    ['set a method that is none', '(call $set_method (i32.const 64) (i32.const 3)) (i64.const 1)', ''],
    ['set no method', '(call $set_method (i32.const 64) (i32.const 0)) (i64.const 1)', ''],
    ['set a status that is none', '(call $set_status_code (i32.const 99)) (i64.const 0)', ''],
    [
      'split a field',
      '(call $set_header_value (i32.const 1) (i32.const 0) (i32.const 3) (i32.const 128) (i32.const 6)) (i64.const 0)',
      '',
    ],
    [
      'name a field with nothing',
      '(call $remove_header (i32.const 1) (i32.const 0) (i32.const 0)) (i64.const 0)',
      '',
    ],
    [
      'read into nothing',
      '(drop (call $read_body (i32.const 0) (i32.const 0) (i32.const 0))) (i64.const 1)',
      '',
    ],
    [
      'ask for fields of no kind',
      '(drop (call $get_header_names (i32.const 9) (i32.const 0) (i32.const 0))) (i64.const 1)',
      '',
    ],
    ['change a request that went on', pass, '(call $set_uri (i32.const 0) (i32.const 0))'],
    [
      'change the status of an answer that it does not buffer',
      pass,
      '(call $set_status_code (i32.const 201))',
    ],
    [
      'read an answer that it does not buffer',
      pass,
      '(drop (call $read_body (i32.const 1) (i32.const 0) (i32.const 1)))',
    ],
    [
      'change trailers',
      '(call $set_header_value (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)) (i64.const 1)',
      '',
    ],
  ])('%s', async (_, request, response) => {
    const { instance } = await create({ data: ['abc', 'a b', 'a\r\nb: c'], request, response })
    await expect(exchange(instance)).rejects.toThrow()
    // Another instance takes the next one, which fails just the same and no worse.
    await expect(exchange(instance)).rejects.toThrow()
  })
})

describe('WASI', () => {
  const imports = `
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write ${'(param i32 i32 i32 i32)'} (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))`

  test('output goes to the log, line by line', async () => {
    const { logged } = await create({
      more: imports,
      data: ['one\ntwo', '\n'],
      start: `
        (i32.store (i32.const 256) (i32.const 0)) (i32.store (i32.const 260) (i32.const 7))
        (i32.store (i32.const 264) (i32.const 64)) (i32.store (i32.const 268) (i32.const 1))
        (if (call $fd_write (i32.const 1) (i32.const 256) (i32.const 2) (i32.const 300)) (then (unreachable)))
        (if (i32.ne (i32.load (i32.const 300)) (i32.const 8)) (then (unreachable)))
        (if (i32.ne (call $fd_write (i32.const 5) (i32.const 256) (i32.const 2) (i32.const 300)) (i32.const 8)) (then (unreachable)))
        (call $proc_exit (i32.const 0))`,
    })
    expect(logged()).toEqual(['debug the module writes: one', 'debug the module writes: two'])
  })

  const measure = {
    more: imports,
    request: `
      (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 1024)))
      (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 1032)))
      (drop (call $random_get (i32.const 1040) (i32.const 8)))
      (call $write_body (i32.const 1) (i32.const 1024) (i32.const 24))
      ${stop}`,
  }

  test('time and chance are real', async () => {
    const { instance, clock } = await create(measure)
    await clock.advance(5)
    const [one, two] = [(await exchange(instance)).bytes, (await exchange(instance)).bytes] as [
      Buffer,
      Buffer,
    ]
    expect(one.readBigUInt64LE(0)).toBe(BigInt(clock.now()) * 1_000_000n)
    expect(one.readBigUInt64LE(8)).toBe(BigInt(Math.floor(clock.monotonic() * 1_000_000)))
    expect(one.subarray(16)).not.toEqual(two.subarray(16))
  })

  test('in the strict sandbox they come from nowhere', async () => {
    const measured = await Promise.all(
      [1, 2].map(async () => {
        const { instance } = await create(measure, { strictSandbox: 'true' })
        return Buffer.from((await exchange(instance)).bytes).toString('hex')
      }),
    )
    expect(measured[0]).toBe(measured[1])
  })

  test('files are not there', async () => {
    const { instance } = await create({
      more: imports,
      request: `
        (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
        (call $set_status_code (i32.add (i32.const 200) (call $path_open (i32.const 0)))) ${stop}`,
    })
    expect((await exchange(instance)).status).toBe(252)
  })
})

describe('the module is loaded', () => {
  test('from a path that counts from the base folder', async () => {
    const folder = await tempFolder()
    onTestFinished(folder.remove)
    await writeFile(`${folder.path}/own.wasm`, await compile(guest({})))
    await createForTest(definition, { properties: { url: 'file://own.wasm' }, baseDirectory: folder.path })
  })

  test('from a server', async () => {
    const bytes = await compile(guest({}))
    const server = createServer((request, response) => {
      if (request.url === '/gzip')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes))
      else response.writeHead(request.url === '/guest.wasm' ? 200 : 404).end(bytes)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const path of ['/guest.wasm', '/gzip'])
      await createForTest(definition, { properties: { url: origin + path } })
    await expect(createForTest(definition, { properties: { url: `${origin}/no` } })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('status 404'),
    })
  })

  test.each([
    ['oci://x', 'url must begin with file://'],
    ['guest.wasm', 'url must begin with file://'],
    ['file:///no/such/file.wasm', '(ENOENT)'],
  ])('%s cannot be', async (url, message) => {
    await expect(createForTest(definition, { properties: { url } })).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message),
    })
  })

  test.each([
    ['(module)', 'has no function handle_request'],
    [
      '(module (memory (export "memory") 1) (func (export "handle_request") (result i64) (i64.const 1)))',
      'handle_response',
    ],
    [guest({ more: '(import "env" "f" (func $f))' }), 'needs the function env.f'],
    [guest({ start: '(unreachable)' }), 'does not start'],
    [guest({ start: '(drop (call $get_uri (i32.const 0) (i32.const 0)))' }), 'before there is one'],
  ])('unless it is no middleware: %#', async (text, message) => {
    await expect(create(text)).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message),
    })
  })

  test('unless it is no module', async () => {
    const url = await fileOf(Buffer.from('no module'))
    await expect(createForTest(definition, { properties: { url } })).rejects.toMatchObject({
      message: expect.stringContaining('url leads to no WebAssembly module'),
    })
  })
})
