import { describe, expect, it } from 'vitest'
import { until } from '../setup.ts'
import { block, code, frame, number } from './peer.ts'
import { failure, rawServer } from './raw-server.ts'
import { client } from './setup.ts'

const ok = block([[':status', '200']])

describe('a server that breaks the rules', () => {
  const head = frame('HEADERS', 4, 1, ok)
  const cases: [string, Buffer[], number][] = [
    ['pushes', [frame('PUSH_PROMISE', 4, 1, Buffer.concat([number(2), ok]))], code.PROTOCOL_ERROR],
    ['opens a stream', [frame('HEADERS', 4, 2, ok)], code.PROTOCOL_ERROR],
    ['sends DATA on an idle stream', [frame('DATA', 0, 9, 'x')], code.PROTOCOL_ERROR],
    ['sends SETTINGS that are none', [frame('SETTINGS', 0, 0, 'abc')], code.FRAME_SIZE_ERROR],
    ['allows pushing', [frame('SETTINGS', 0, 0, Buffer.from('000200000001', 'hex'))], code.PROTOCOL_ERROR],
    ['breaks the header code', [frame('HEADERS', 4, 1, Buffer.from('80', 'hex'))], code.COMPRESSION_ERROR],
    [
      'never ends its header block',
      [frame('HEADERS', 0, 1, ok), ...Array.from({ length: 100 }, () => frame('CONTINUATION', 0, 1, ''))],
      code.ENHANCE_YOUR_CALM,
    ],
    [
      'sends interim responses without end',
      Array.from({ length: 2_000 }, () => frame('HEADERS', 4, 1, block([[':status', '103']]))),
      code.ENHANCE_YOUR_CALM,
    ],
    [
      'sends more than the window',
      [head, ...Array.from({ length: 300 }, () => frame('DATA', 0, 1, Buffer.alloc(16_384)))],
      -1,
    ],
  ]
  it.each(cases)('%s', async (_, frames, goaway) => {
    const server = await rawServer()
    const own = client()
    const answer = failure(own.request({ origin: server.origin }))
    const peer = await server.peer()
    await peer.type('HEADERS')
    peer.socket.write(Buffer.concat(frames))
    if (goaway < 0) expect((await peer.type('RST_STREAM')).code).toBe(code.FLOW_CONTROL_ERROR)
    else {
      expect((await peer.type('GOAWAY')).code).toBe(goaway)
      expect(await answer).toMatchObject({ code: 'PROTOCOL' })
      await until(() => own.stats.connections === 0, 'the connection is closed')
    }
    expect(own.stats.running).toBe(0)
  })

  const messages: [string, Buffer[]][] = [
    ['no status', [frame('HEADERS', 5, 1, block([['x', 'y']]))]],
    ['a status that is none', [frame('HEADERS', 5, 1, block([[':status', '2000']]))]],
    ['the status 101', [frame('HEADERS', 5, 1, block([[':status', '101']]))]],
    [
      'a path',
      [
        frame(
          'HEADERS',
          5,
          1,
          block([
            [':status', '200'],
            [':path', '/'],
          ]),
        ),
      ],
    ],
    ['data before the head', [frame('DATA', 1, 1, 'x')]],
    ['an interim response that ends', [frame('HEADERS', 5, 1, block([[':status', '103']]))]],
    [
      'less than announced',
      [
        frame(
          'HEADERS',
          5,
          1,
          block([
            [':status', '200'],
            ['content-length', '1'],
          ]),
        ),
      ],
    ],
  ]
  it.each(messages)('answers with %s', async (_, frames) => {
    const server = await rawServer()
    const own = client()
    const answer = failure(own.request({ origin: server.origin }))
    const peer = await server.peer()
    await peer.type('HEADERS')
    peer.socket.write(Buffer.concat(frames))
    expect(await answer).toMatchObject({ code: 'PROTOCOL' })
    expect((await peer.type('RST_STREAM')).code).toBe(code.PROTOCOL_ERROR)
    expect(own.stats).toMatchObject({ running: 0, connections: 1 })
  })
})
