import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A bare connection, for requests that no client would send. */
export class RawConnection {
  readonly socket: Socket
  received = ''
  ended = false
  private wake = (): void => {}

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      this.wake()
    })
    const end = () => {
      this.ended = true
      this.wake()
    }
    this.socket.on('end', end)
    this.socket.on('close', end)
    this.socket.on('error', end)
  }

  write(text: string | Uint8Array): this {
    this.socket.write(text)
    return this
  }

  /** Resolves when what was received contains `text`; rejects when the connection ends before. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.ended) throw new Error(`the connection ended; received: ${this.received}`)
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
    return this.received
  }

  /** Resolves with all that was received when the server has closed the connection. */
  async end(): Promise<string> {
    while (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve))
    return this.received
  }
}
