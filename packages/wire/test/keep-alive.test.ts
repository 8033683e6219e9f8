import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createHttp2Client } from '../src/http2/index.ts'
import { cleanup, client, serve } from './setup.ts'

/** Timers that run on the connections to and from a port, as /proc/net/tcp names them: `02` is keep-alive. */
function timersOf(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)
  const established = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote, state]) => state === '01' && `${local} ${remote}`.includes(`:${hex}`))
  return established.map((columns) => columns[5]!.split(':')[0]!)
}

describe.skipIf(process.platform !== 'linux')('TCP asks after a silent peer', () => {
  it('at both ends of HTTP/1.1', async () => {
    const { origin, port } = await serve((_, response) => response.send(204))
    await client().request({ origin })
    await expect.poll(() => timersOf(port), { timeout: 20_000 }).toEqual(['02', '02'])
  })

  it('at the end of a server that speaks HTTP/2', async () => {
    const { origin, port } = await serve((_, response) => response.send(204), { protocols: ['h2c'] })
    const own = createHttp2Client()
    cleanup(() => own.close())
    await own.request({ origin })
    await expect.poll(() => timersOf(port).includes('02'), { timeout: 20_000 }).toBe(true)
  })
})
