import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Sorted, in ms. */
export type Latencies = Float64Array

/**
 * Sends requests at a steady rate, whether or not answers come back in time, each on a connection that is free.
 * An answer must come in one piece: it is small.
 */
export async function steady(options: {
  readonly port: number
  readonly perSecond: number
  readonly seconds: number
  readonly request: (index: number) => string
  /** Default 200. */
  readonly expect?: number
}): Promise<Latencies> {
  const { port, perSecond, seconds, request } = options
  const status = String(options.expect ?? 200)
  const total = perSecond * seconds
  const latencies = new Float64Array(total)
  const free: Socket[] = []
  const all: Socket[] = []
  let sent = 0
  let done = 0
  await new Promise<void>((resolve, reject) => {
    const open = async (): Promise<void> => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      all.push(socket)
      socket.on('error', reject)
      await once(socket, 'connect')
      free.push(socket)
    }
    const send = (socket: Socket): void => {
      const sentAt = performance.now()
      socket.once('data', (answer: Buffer) => {
        if (answer.toString('latin1', 9, 12) !== status)
          return reject(new Error(`answered ${answer.toString()}`))
        latencies[done++] = performance.now() - sentAt
        free.push(socket)
        if (done === total) resolve()
      })
      socket.write(request(sent++), 'latin1')
    }
    const opening = Array.from({ length: 64 }, open)
    Promise.all(opening).then(() => {
      const startedAt = performance.now()
      const turn = (): void => {
        const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000))
        while (sent < due && free.length > 0) send(free.pop()!)
        if (sent < total) setTimeout(turn, 1)
      }
      turn()
    }, reject)
  }).finally(() => {
    for (const socket of all) socket.destroy()
  })
  return latencies.sort()
}

export function percentile(latencies: Latencies, share: number): number {
  return latencies[Math.floor(latencies.length * share)]!
}
