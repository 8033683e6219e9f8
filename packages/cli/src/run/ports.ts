import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { CliFailure } from '../failure.ts'

/** Ports on loopback that nobody uses now. All are held until each is found, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
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
