import { createServer } from 'node:net'

/** A port of 127.0.0.1 that nobody listens on. Prefer port 0 wherever the listener can report its own. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
