import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { CliFailure } from '../failure.ts'

/**
 * Ports on loopback that nobody uses now; somebody may, until they are listened on. They lie below those that systems
 * give to outgoing connections (from 32768). All are held until each is found, so that they differ.
 * @param reserved ports of what is not there yet
 */
export async function freePorts(
  count: number,
  reserved: readonly (number | undefined)[] = [],
): Promise<number[]> {
  const held = new Map<number, Server>()
  while (held.size < count) {
    const port = randomInt(10_000, 32_768)
    if (reserved.includes(port)) continue
    const server = createServer()
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening')
      held.set(port, server)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Systems keep some to themselves.
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error
    }
  }
  await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))))
  return [...held.keys()]
}

/**
 * Makes sure that nobody listens on a port that was asked for: a health check would be answered by that one, and the
 * application would talk to it.
 * @throws CliFailure that names the flag
 */
export async function claimPort(port: number, flag: string): Promise<number> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`
    throw new CliFailure(
      `port ${port} ${reason}: choose another one with ${flag}, or leave it away for a free one`,
    )
  }
  server.close()
  await once(server, 'close')
  return port
}
