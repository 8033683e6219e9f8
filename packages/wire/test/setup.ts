import { afterEach } from 'vitest'
import { createClient, createServer } from '../src/index.ts'
import type { BoundAddress, Client, ClientOptions, Handler, Server, ServerOptions } from '../src/index.ts'
import { RawConnection } from './raw.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export function cleanup(action: () => unknown): void {
  cleanups.push(action)
}

export interface Running {
  readonly server: Server
  readonly port: number
  readonly origin: string
  raw(): RawConnection
}

/** A server on a free port; closed after the test. */
export async function serve(handler: Handler, options: ServerOptions = {}): Promise<Running> {
  const server = createServer(options, handler)
  cleanup(() => server.close(AbortSignal.abort()))
  const { port } = (await server.listen({ host: '127.0.0.1', port: 0 })) as BoundAddress & { port: number }
  const raw = (): RawConnection => {
    const connection = new RawConnection(port)
    cleanup(() => connection.socket.destroy())
    return connection
  }
  return { server, port, origin: `http://127.0.0.1:${port}`, raw }
}

/** A client; closed after the test. */
export function client(options: ClientOptions = {}): Client {
  const created = createClient(options)
  cleanup(() => created.close())
  return created
}

/** Waits until `condition` holds; the deadline only ends a test that failed already. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
