import { connect } from 'node:http2'
import type { ClientHttp2Stream } from 'node:http2'
import { describe, expect, it } from 'vitest'
import { cleanup, until } from '../setup.ts'
import { block, code, frame, number, requestFields } from './peer.ts'
import { serve } from './setup.ts'
import type { Running } from './setup.ts'

const calm = code.ENHANCE_YOUR_CALM

/** Whether the server still serves others. */
async function alive(running: Running): Promise<void> {
  const peer = running.peer().begin().get(1)
  expect((await peer.until(({ type, stream }) => type === 'HEADERS' && stream === 1)).flags & 4).toBe(4)
}

describe('an attacker', () => {
  it('resets streams as fast as it opens them (CVE-2023-44487)', async () => {
    let most = 0
    let now = 0
    const release: (() => void)[] = []
    const running = await serve(
      async (request) => {
        if (request.path === '/') {
          most = Math.max(most, ++now)
          await new Promise<void>((resolve) => release.push(resolve))
          now--
        }
      },
      { maxStreams: 20 },
    )
    const peer = running.peer().begin()
    for (let stream = 1; stream < 5_000; stream += 2) {
      peer.get(stream).send('RST_STREAM', 0, stream, number(code.CANCEL))
    }
    expect(await peer.goaway()).toBe(calm)
    // A handler that works for a stream which is gone still takes one of the places.
    expect(most).toBe(20)
    for (const resume of release) resume()
    await until(() => running.server.stats.running === 0, 'all handlers have ended')
    await until(() => running.server.stats.connections === 0, 'the connection is gone')
  })

  it('makes the server reset streams', async () => {
    const running = await serve((_, response) => response.send(204))
    const peer = running.peer().begin()
    for (let stream = 1; stream < 4_000; stream += 2) {
      peer.get(stream, true).send('WINDOW_UPDATE', 0, stream, number(0))
    }
    expect(await peer.goaway()).toBe(calm)
    await alive(running)
  })

  it.each([
    ['with data', 8_000],
    ['empty', 0],
    ['of one byte', 1],
  ])('never ends a header block: CONTINUATION %s (VU#421644)', async (_, size) => {
    const running = await serve((_request, response) => response.send(204))
    const peer = running.peer().begin()
    peer.send('HEADERS', 1, 1, block(requestFields))
    for (let count = 0; count < 500; count++) peer.send('CONTINUATION', 0, 1, Buffer.alloc(size, 0))
    expect(await peer.goaway()).toBe(calm)
    expect(running.server.stats.requestsTotal).toBe(0)
    await alive(running)
  })

  const floods: [string, (stream: number) => Buffer][] = [
    ['SETTINGS', () => frame('SETTINGS', 0, 0)],
    ['PING', () => frame('PING', 0, 0, Buffer.alloc(8))],
    ['answers to PING', () => frame('PING', 1, 0, Buffer.alloc(8))],
    ['empty DATA', (stream) => frame('DATA', 0, stream)],
    ['PRIORITY', () => frame('PRIORITY', 0, 1, Buffer.alloc(5))],
    ['WINDOW_UPDATE', () => frame('WINDOW_UPDATE', 0, 0, number(1))],
    ['unknown frames', () => frame('unknown', 0, 0, 'x')],
    ['RST_STREAM of closed streams', () => frame('RST_STREAM', 0, 1, number(8))],
  ]
  it.each(floods)('floods with %s', async (_, one) => {
    const running = await serve(async (request, response) => {
      await request.body.bytes()
      response.send(204)
    })
    const peer = running.peer().begin().get(1, true)
    if (one(1)[3] === 3) peer.send('DATA', 1, 1)
    peer.socket.write(Buffer.concat(Array.from({ length: 3_000 }, () => one(1))))
    expect(await peer.goaway()).toBe(calm)
    await alive(running)
  })

  it('never opens the window of a stream: what waits for it is bounded, then dropped', async () => {
    let taken = 0
    let ended: unknown
    const running = await serve(
      async (request, response) => {
        if (request.path !== '/') return response.send(204)
        const writer = response.start(200)
        try {
          for (;;) {
            const room = writer.write(Buffer.alloc(10_000))
            taken += 10_000
            if (room !== undefined) await room
          }
        } catch (error) {
          ended = error
        }
      },
      { writeIdleTimeoutMs: 100 },
    )
    const peer = running.peer().begin(4, 0).get(1)
    const reset = await peer.type('RST_STREAM')
    expect([reset.stream, reset.code]).toEqual([1, calm])
    expect(ended).toMatchObject({ code: expect.stringMatching(/ABORTED|TIMEOUT/) as string })
    expect(taken).toBeLessThan(300_000)
    await until(() => running.server.stats.running === 0, 'the handler has ended')
  })

  it('never opens the windows of many streams: all together they are bounded', async () => {
    let taken = 0
    const running = await serve(async (_, response) => {
      const writer = response.start(200)
      for (;;) {
        taken += 1000
        await writer.write(Buffer.alloc(1000))
      }
    })
    const peer = running.peer().begin(4, 0)
    for (let stream = 1; stream < 400; stream += 2) peer.get(stream)
    peer.send('PING', 0, 0, Buffer.alloc(8))
    await peer.type('PING')
    let before = -1
    await until(() => {
      const still = taken === before
      before = taken
      return still
    }, 'all writers wait')
    expect(taken).toBeGreaterThan(200 * 16_000)
    expect(taken).toBeLessThan(1_000_000 + 260_000 + 200 * 18_000)
  })

  it('never opens the window of the connection', async () => {
    const running = await serve((_, response) => response.send(200, [], Buffer.alloc(200_000)), {
      writeIdleTimeoutMs: 100,
    })
    const peer = running.peer().begin(4, 1_000_000)
    for (let stream = 1; stream < 20; stream += 2) peer.get(stream)
    await until(() => peer.frames.filter(({ type }) => type === 'RST_STREAM').length === 10, 'all are reset')
    await until(() => running.server.stats.running === 0, 'nothing runs')
  })

  it('reads nothing: the connection is cut', async () => {
    const running = await serve((_, response) => response.send(200, [], Buffer.alloc(50_000_000)), {
      writeIdleTimeoutMs: 100,
    })
    const peer = running.peer()
    peer.socket.pause()
    peer.begin(4, 0x7fffffff).send('WINDOW_UPDATE', 0, 0, number(0x7fff0000)).get(1)
    await until(() => running.server.stats.requestsTotal === 1, 'the request came')
    await until(() => running.server.stats.connections === 0, 'the connection is cut')
  })

  it('sends a header section that is too large: 431, and the connection lives', async () => {
    const running = await serve((_, response) => response.send(204), { maxHeaderBytes: 1000, maxFields: 20 })
    const peer = running.peer().begin()
    peer.send('HEADERS', 5, 1, block([...requestFields, ['x', 'y'.repeat(1000)]]))
    const many = Array.from({ length: 21 }, (_, index): [string, string] => [`x${index}`, ''])
    peer.send('HEADERS', 5, 3, block([...requestFields, ...many]))
    peer.get(5)
    const answers: string[] = []
    for (const stream of [1, 3, 5]) {
      const found = await peer.until((one) => one.type === 'HEADERS' && one.stream === stream)
      answers.push(peer.fields(found)[0]!)
    }
    expect(answers).toEqual([':status: 431', ':status: 431', ':status: 204'])
    expect(running.server.stats).toMatchObject({ requestsTotal: 1, refusedTotal: 2 })
  })

  it('refers to a large field again and again (HPACK bomb)', async () => {
    const running = await serve((_, response) => response.send(204))
    const peer = running.peer().begin()
    const large = Buffer.concat([Buffer.from('400161' + '7fa11e', 'hex'), Buffer.alloc(4000, 'x')])
    const before = process.memoryUsage().heapUsed
    for (let stream = 1; stream < 100; stream += 2) {
      peer.send(
        'HEADERS',
        5,
        stream,
        Buffer.concat([block(requestFields), large, Buffer.alloc(12_000, 0xbe)]),
      )
    }
    await peer.until(({ type, stream }) => type === 'HEADERS' && stream === 99)
    // Unpacked it would be 48 MB for each.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000)
    expect(running.server.stats.requestsTotal).toBe(0)
  })

  it('opens more streams than it may: they are refused, the others served', async () => {
    const release: (() => void)[] = []
    const running = await serve(
      async (_, response) => {
        await new Promise<void>((resolve) => release.push(resolve))
        response.send(204)
      },
      { maxStreams: 5 },
    )
    const peer = running.peer().begin()
    for (let stream = 1; stream < 21; stream += 2) peer.get(stream)
    await until(
      () => peer.frames.filter(({ type }) => type === 'RST_STREAM').length === 5,
      'five are refused',
    )
    for (const { type, code: reason, stream } of peer.frames) {
      if (type === 'RST_STREAM') expect([reason, stream > 10]).toEqual([code.REFUSED_STREAM, true])
    }
    for (const resume of release) resume()
    await until(() => peer.frames.filter(({ type }) => type === 'HEADERS').length === 5, 'five are served')
  })

  it.each([
    ['nothing', ''],
    ['half a preface', 'PRI * HTTP/2.0\r\n'],
  ])('sends %s', async (_, text) => {
    const running = await serve((_request, response) => response.send(204), { headerTimeoutMs: 60 })
    const peer = running.peer()
    peer.socket.write(text)
    expect(await peer.goaway()).toBe(code.SETTINGS_TIMEOUT)
    await until(() => running.server.stats.connections === 0, 'the connection is closed')
  })

  it('sends a preface but no SETTINGS, or a header block without end', async () => {
    const running = await serve((_request, response) => response.send(204), { headerTimeoutMs: 60 })
    const silent = running.peer()
    silent.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect(await silent.goaway()).toBe(code.SETTINGS_TIMEOUT)
    const slow = running.peer().begin().send('HEADERS', 0, 1, block(requestFields))
    expect(await slow.goaway()).toBe(calm)
  })

  it('is idle for too long', async () => {
    const running = await serve((_request, response) => response.send(204), { keepAliveTimeoutMs: 60 })
    expect(await running.peer().begin().get(1).goaway()).toBe(code.NO_ERROR)
  })

  it('has requests under way and hangs: it is asked, then cut', async () => {
    let aborted = 0
    const running = await serve(
      async (request, response) => {
        request.signal.addEventListener('abort', () => aborted++)
        response.start(200)
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
      },
      { pingAfterMs: 40, pingTimeoutMs: 40 },
    )
    const idle = running.peer().begin()
    const peer = running.peer().begin().get(1)
    const { payload } = await peer.type('PING')
    peer.send('PING', 1, 0, payload)
    await until(() => peer.frames.filter(({ type }) => type === 'PING').length === 2, 'it is asked again')
    await peer.end()
    await until(() => aborted === 1 && running.server.stats.running === 0, 'the handler hears of it')
    // Without requests there is nothing to keep the connection for, and other limits end it.
    expect([idle.ended, idle.frames.some(({ type }) => type === 'PING')]).toEqual([false, false])
  })

  it('sends its body too slowly', async () => {
    let failure: unknown
    const running = await serve(
      async (request, response) => {
        failure = await request.body.bytes().catch((error: unknown) => error)
        response.send(408)
      },
      { bodyIdleTimeoutMs: 60 },
    )
    const peer = running.peer().begin().get(1, true).send('DATA', 0, 1, 'x')
    await peer.type('HEADERS')
    expect(failure).toMatchObject({ code: 'TIMEOUT' })
    // The rest is not wanted (RFC 9113, section 8.1).
    expect((await peer.type('RST_STREAM')).code).toBe(code.NO_ERROR)
  })

  it('sends more data than nobody reads: the window of the stream holds it', async () => {
    let resume = (): void => {}
    const running = await serve(async (request, response) => {
      await new Promise<void>((resolve) => (resume = resolve))
      response.send(200, [], `${(await request.body.bytes(2 << 20)).length}`)
    })
    const peer = running.peer().begin().get(1, true).send('DATA', 0, 1, Buffer.alloc(16_384))
    for (let count = 0; count < 3; count++) peer.send('DATA', 0, 1, Buffer.alloc(16_383))
    peer.send('PING', 0, 0, Buffer.alloc(8))
    await peer.type('PING')
    expect(peer.frames.filter(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)).toEqual([])
    resume()
    // Who reads gets more at once.
    const update = await peer.until(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)
    expect(update.payload.readUInt32BE()).toBeGreaterThan(1_000_000)
    const over = running.peer().begin().get(1, true)
    for (let count = 0; count < 5; count++) over.send('DATA', 0, 1, Buffer.alloc(16_384))
    expect((await over.type('RST_STREAM')).code).toBe(code.FLOW_CONTROL_ERROR)
  })

  it('fills the windows of all streams but one: that one goes on, and memory is bounded', async () => {
    const hold = Promise.withResolvers<void>()
    cleanup(() => hold.resolve())
    const running = await serve(
      async (request, response) => {
        if (request.path === '/whole')
          return response.send(200, [], `${(await request.body.bytes(1 << 30)).length}`)
        // Some begin to read, so that their windows become large, and all stop.
        const reader = request.body[Symbol.asyncIterator]()
        if (request.path === '/begun')
          for (let read = 0; read < 40_000;) read += (await reader.next()).value.length
        await hold.promise
      },
      { maxStreams: 100 },
    )
    const session = connect(running.origin, { maxSessionMemory: 1000 })
    cleanup(() => session.destroy())
    const open = (path: string): ClientHttp2Stream => {
      const stream = session.request({ ':method': 'POST', ':path': path })
      stream.on('error', () => {})
      return stream
    }
    const stalled = Array.from({ length: 60 }, (_, index) => {
      const stream = open(index % 2 === 0 ? '/begun' : '/never')
      stream.write(Buffer.alloc(2 << 20))
      return stream
    })
    const sent = (): number => [...running.sockets].reduce((sum, socket) => sum + socket.bytesRead, 0)
    let before = -1
    while (before !== sent() || sent() < 60 * 65_535) {
      before = sent()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    // 60 small windows, what was read, and what all may have beyond.
    expect(before).toBeLessThan(60 * 65_535 + 30 * 200_000 + 9 * 1024 * 1024)
    const whole = open('/whole')
    whole.end(Buffer.alloc(20_000_000))
    let answer = ''
    for await (const chunk of whole.setEncoding('utf8')) answer += chunk as string
    expect(answer).toBe('20000000')
    // What was lent to streams that have ended is there for others.
    for (const stream of stalled) stream.close()
    const next = open('/whole')
    next.end(Buffer.alloc(5_000_000))
    answer = ''
    for await (const chunk of next.setEncoding('utf8')) answer += chunk as string
    expect(answer).toBe('5000000')
  })
})
