import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { findProgram, mustRun, selfSigned, serve } from './setup.ts'

const run = promisify(execFile)
const pair = selfSigned()

function tool(name: string, hint: string, body: (path: string) => void): void {
  const found = findProgram(name, hint)
  const path = typeof found === 'string' ? undefined : found.path
  const title = path === undefined ? `${name} [skipped: ${found as string}]` : name
  describe.skipIf(path === undefined && !mustRun)(title, () => {
    it('is installed', () => expect(found).toHaveProperty('path'))
    body(path ?? name)
  })
}

tool('curl', 'apt-get install curl', (curl) => {
  it('gets, uploads, sees trailers and is refused what it must be', async () => {
    const { origin } = await serve(
      async (request, response) => {
        if (request.path === '/trailers') {
          const writer = response.start(200, ['content-type', 'text/plain'])
          await writer.write('body')
          return writer.end(['x-sum', '42'])
        }
        const { length } = await request.body.bytes()
        return response.send(200, ['x-way', request.method], `${length} bytes`)
      },
      { maxBodyBytes: 1_000_000 },
    )
    const ask = async (...args: string[]): Promise<string> =>
      (await run(curl, ['-sS', '-i', '--http2-prior-knowledge', ...args])).stdout
    expect(await ask(`${origin}/`)).toMatch(
      /^HTTP\/2 200 \r\nx-way: GET\r\ncontent-length: 7\r\n\r\n0 bytes$/,
    )
    expect(await ask('-X', 'PUT', '-d', 'x'.repeat(90_000), `${origin}/`)).toContain('90000 bytes')
    expect(await ask(`${origin}/trailers`)).toMatch(/\r\n\r\nbodyx-sum: 42/)
    expect(
      await ask('-d', '@/usr/bin/env', '-H', 'content-length: 5000000', `${origin}/`).catch(String),
    ).toMatch(/413|stream/)
    expect(await ask('-H', `x-large: ${'x'.repeat(20_000)}`, `${origin}/`)).toMatch(/^HTTP\/2 431/)
    expect(await ask('-X', 'TRACE', `${origin}/${'p'.repeat(9_000)}`)).toMatch(/^HTTP\/2 414/)
  })

  it.skipIf(pair === undefined)('agrees on h2 over TLS', async () => {
    const { origin } = await serve((request, response) => response.send(200, [], request.scheme), {}, pair)
    expect((await run(curl, ['-sSki', '--http2', `${origin}/`])).stdout).toMatch(/^HTTP\/2 200[^]*https$/)
  })
})

const nghttp2 = 'apt-get install nghttp2-client'

tool('nghttp', nghttp2, (nghttp) => {
  it('asks with priorities, padding, continuation and trailers', async () => {
    const { origin } = await serve(
      async (request, response) => {
        const body = await request.body.bytes()
        response.send(200, [], `${request.path} ${body.length} ${request.trailers?.get('x-end')}\n`)
      },
      { maxHeaderBytes: 40_000 },
    )
    const args = ['-p', '256', '-b', '100', '--continuation', '--trailer', 'x-end: yes']
    const { stdout } = await run(nghttp, [...args, '-d', '/etc/passwd', `${origin}/a`, `${origin}/b`])
    expect(stdout).toMatch(/\/a \d+ yes\n/)
    expect(stdout).toMatch(/\/b \d+ yes\n/)
    const small = await run(nghttp, ['-w', '10', '-W', '12', '-nv', '--header-table-size=0', `${origin}/`])
    expect(small.stdout).toContain(':status: 200')
  })
})

tool('h2load', nghttp2, (h2load) => {
  it.each([
    ['small answers', '/small', []],
    ['large answers', '/large', []],
    ['uploads', '/upload', ['-d', process.execPath]],
  ])('loses nothing: %s', async (_, path, more) => {
    const { origin, server } = await serve(
      async (request, response) => {
        if (request.path === '/upload') {
          for await (const chunk of request.body) void chunk
          return response.send(200)
        }
        return response.send(200, [], path === '/large' ? Buffer.alloc(200_000) : 'small')
      },
      { maxBodyBytes: Infinity },
    )
    const count = more.length > 0 ? 4 : 400
    const { stdout } = await run(h2load, [
      '-n',
      `${count}`,
      '-c',
      '4',
      '-m',
      '20',
      ...more,
      `${origin}${path}`,
    ])
    expect(stdout).toContain(`requests: ${count} total, ${count} started, ${count} done, ${count} succeeded`)
    expect(server.stats.requestsTotal).toBe(count)
  })
})
