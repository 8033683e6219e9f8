import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../../src/index.ts'
import { client, serve, text, until } from '../setup.ts'

const host = 'host: test\r\n'
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${host}${more}\r\n`

/** The pieces in which a connection receives what answers `request`, until `last` has come. */
async function pieces(port: number, request: string, last: string): Promise<string[]> {
  const socket = connect(port, '127.0.0.1')
  const received: string[] = []
  socket.on('data', (chunk) => received.push(chunk.toString('latin1')))
  socket.write(request)
  await until(() => received.join('').includes(last), last)
  socket.destroy()
  return received
}

describe('writes', () => {
  it('are one for an answer with its body, and one for all answers of a turn', async () => {
    const { port } = await serve((request, response) => {
      if (request.path === '/bytes') response.send(200, [], Buffer.from('bytes'))
      else response.send(200, [], request.path)
    })
    expect(await pieces(port, get('/bytes'), 'bytes')).toHaveLength(1)
    const all = await pieces(port, get('/a') + get('/b') + get('/c'), '/c')
    expect(all).toHaveLength(1)
    expect(all[0]!.match(/HTTP\/1.1 200 OK/g)).toHaveLength(3)
  })

  it('of one turn are one, head included', async () => {
    const { port } = await serve((_, response) => {
      const writer = response.start(200)
      for (const word of ['a', 'b', 'c']) void writer.write(word)
      writer.end()
    })
    expect(await pieces(port, get('/'), '0\r\n\r\n')).toHaveLength(1)
  })

  it('carry text and bytes of any size in order', async () => {
    const parts = ['ä', 'x'.repeat(5000), 'ö'.repeat(5000), 'y', 'z'.repeat(100_000), '€']
    const { origin } = await serve(async (_, response) => {
      const writer = response.start(200)
      for (const [index, part] of parts.entries()) {
        await writer.write(index % 2 === 0 ? part : Buffer.from(part))
        void writer.write('')
      }
      writer.end()
    })
    expect(text(await (await client().request({ origin })).body.bytes())).toBe(parts.join(''))
  })
})

describe('a connection', () => {
  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'connection: close\r\n', false],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'connection: keep-alive\r\n', true],
  ])('of %s with %j stays: %s', async (version, fields, stays) => {
    const { raw } = await serve((_, response) => response.send(200, [], 'body'))
    const connection = raw().write(`GET / ${version}\r\n${host}${fields}\r\n`)
    const answer = await connection.until('body')
    expect(answer).toContain(
      stays ? 'connection: keep-alive\r\nkeep-alive: timeout=75\r\n' : 'connection: close',
    )
    if (stays) await connection.write(get('/')).until('body')
    else await connection.end()
  })

  it('of HTTP/1.0 ends with a body of unknown length', async () => {
    const { raw } = await serve(async (_, response) => {
      const writer = response.start(200)
      await writer.write('one ')
      await writer.write('two')
      writer.end(['x-ignored', '1'])
    })
    const answer = await raw().write('GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n').end()
    expect(answer).toMatch(/connection: close\r\n\r\none two$/)
    expect(answer).not.toContain('chunked')
  })

  it('has a date, and one that moves on', async () => {
    const { raw } = await serve((_, response) => response.send(200, [], 'body'))
    const date = (answer: string): number => Date.parse(/^date: (.*)$/m.exec(answer)![1]!)
    const first = date(await raw().write(get('/')).until('body'))
    expect(Math.abs(Date.now() - first)).toBeLessThan(5_000)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(date(await raw().write(get('/')).until('body'))).toBeGreaterThan(first)
  })

  it('survives a body that comes with its Expect, and one that is read after the answer began', async () => {
    const { raw, server } = await serve(async (request, response) => {
      const writer = response.start(200)
      await writer.write(`[${text(await request.body.bytes())}]`)
      writer.end()
    })
    const connection = raw()
    const head = `POST / HTTP/1.1\r\n${host}expect: 100-continue\r\ncontent-length: 3\r\n\r\n`
    await connection.write(`${head}abc`).until('[abc]')
    connection.write(head)
    await connection.until('100 Continue')
    await connection.write('def').until('[def]')
    expect(server.stats.connectionsTotal).toBe(1)
  })

  it('is asked for OPTIONS *, and by the authority of a full target', async () => {
    const { raw } = await serve((request, response) =>
      response.send(200, [], `${request.method} ${request.path} of ${request.authority}.`),
    )
    await raw().write(`OPTIONS * HTTP/1.1\r\n${host}\r\n`).until('OPTIONS * of test.')
    await raw().write(get('http://other:81/a?b')).until('GET /a of other:81.')
  })
})

describe('a writer with a length', () => {
  async function written(length: string, body: string): Promise<{ answer: string; errors: unknown[] }> {
    const errors: unknown[] = []
    const { raw, server } = await serve(
      async (_, response) => {
        const writer = response.start(200, ['content-length', length])
        await writer.write(body)
        writer.end()
      },
      { onError: (error) => errors.push(error) },
    )
    const answer = await raw().write(get('/', 'connection: close\r\n')).end()
    await until(() => server.stats.running === 0, 'nothing runs')
    return { answer, errors }
  }

  it('sends so much', async () => {
    const { answer } = await written('4', 'four')
    expect(answer).toContain('content-length: 4\r\n')
    expect(answer).toMatch(/\r\n\r\nfour$/)
  })

  it.each([
    ['3', 'four'],
    ['5', 'four'],
  ])('cannot send another number of bytes: %s for %s', async (length, body) => {
    const { errors } = await written(length, body)
    expect(errors.every((error) => isWireError(error, 'PROTOCOL'))).toBe(true)
    expect(errors).toHaveLength(1)
  })

  it.each(['-1', 'x', '', '1, 1'])('cannot begin with %j', async (length) => {
    const { answer, errors } = await written(length, 'four')
    expect(answer).toMatch(/^HTTP\/1.1 500 /)
    expect(isWireError(errors[0], 'PROTOCOL')).toBe(true)
  })

  it('cannot have a status that is none', async () => {
    for (const status of [101, 199, 1000, 2.5, NaN]) {
      const { raw } = await serve((_, response) => response.send(status))
      expect(await raw().write(get('/', 'connection: close\r\n')).end()).toMatch(/^HTTP\/1.1 500 /)
    }
  })
})
