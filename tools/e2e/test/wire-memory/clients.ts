// Opens streams that stay open, on as many connections as the server makes necessary.
import type { Client } from '@outrigger/wire'
import { createHttp2Client } from '@outrigger/wire/http2'
import { serveOrders } from './measured.ts'

const origin = `http://127.0.0.1:${process.argv[2]}`
let client: Client
let streams: Stream[] = []

class Stream {
  private send!: (chunk: Uint8Array | undefined) => void
  private answer!: AsyncIterator<Uint8Array>

  async open(): Promise<void> {
    const response = await client.request({ origin, method: 'POST', path: '/echo', body: this.chunks() })
    if (response.status !== 200) throw new Error(`answered ${response.status}`)
    this.answer = response.body[Symbol.asyncIterator]()
  }

  async echo(): Promise<void> {
    this.send(Buffer.from('still here'))
    const { value } = await this.answer.next()
    if (String(value) !== 'still here') throw new Error(`got ${String(value)}`)
  }

  async finish(): Promise<void> {
    this.send(undefined)
    if ((await this.answer.next()).done !== true) throw new Error('more came than was sent')
  }

  private async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await new Promise<Uint8Array | undefined>((resolve) => (this.send = resolve))
      if (chunk === undefined) return
      yield chunk
    }
  }
}

serveOrders({
  async open(count) {
    client = createHttp2Client({ idleTimeoutMs: 600_000 })
    // Learns how many streams a connection takes: a stream that is refused could not be sent again.
    const { body } = await client.request({ origin, method: 'POST', path: '/echo', body: 'first' })
    await body.bytes()
    streams = Array.from({ length: count }, () => new Stream())
    await Promise.all(streams.map((stream) => stream.open()))
  },
  async echo() {
    await Promise.all(streams.map((stream) => stream.echo()))
  },
  async finish() {
    await Promise.all(streams.map((stream) => stream.finish()))
    streams = []
  },
  connections: () => client.stats.connections,
  close: () => client.close(),
})
