import { AppCallback } from '@outrigger/proto/appcallback'
import { routesOf } from '@outrigger/proto/serve'
import { createClient, createServer, type Handler, type Server } from '@outrigger/wire'
import { createGrpcHandler } from '@outrigger/wire/grpc'
import type { Settings } from '../harness/benchmark.ts'
import { median, type Results } from '../harness/report.ts'
import { percentile } from '../wire/steady.ts'
import { startSidecar } from './sidecars.ts'

const perSecond = 1000
const seconds = 2

/** From a message that is published to the application that has it: what it costs the sidecar, and how long it takes. */
export async function deliverResults(settings: Settings, folder: string): Promise<Results> {
  const figures: Results['figures'][number][] = []
  for (const protocol of ['http', 'grpc'] as const) {
    const receiver = new Receiver()
    const app = await receiver.listen(protocol)
    const { sidecar } = await startSidecar(`${folder}/${protocol}`, {
      port: app.addresses[0]!.port!,
      protocol,
    })
    try {
      await ready(`http://127.0.0.1:${sidecar.port}`)
      const publish = (topic: string): Promise<number> => receiver.run(sidecar.port, topic)
      const costs: number[] = []
      const p99s: number[] = []
      for (let round = 0; round <= settings.rounds; round++) {
        settings.progress(`deliver over ${protocol}: round ${round} of ${settings.rounds}`)
        const before = sidecar.cpuSeconds()
        await publish('nobody')
        const between = sidecar.cpuSeconds()
        const p99 = await publish('orders')
        const delivered = sidecar.cpuSeconds() - between
        // The first round warms up.
        if (round === 0) continue
        costs.push(((delivered - (between - before)) * 1e6) / (perSecond * seconds))
        p99s.push(p99)
      }
      const text = `deliver over ${protocol === 'http' ? 'HTTP' : 'gRPC'}`
      figures.push(
        { text: `${text}, CPU for a message beyond publishing it`, value: median(costs), unit: 'us' },
        {
          text: `${text} at ${perSecond}/s, p99 from publish to the application`,
          value: median(p99s) * 1000,
          unit: 'us',
        },
      )
    } finally {
      await sidecar.stop()
      receiver.close()
      await app.close(AbortSignal.abort())
    }
  }
  return { rows: [], figures, targets: [] }
}

/** An application that subscribes to `orders` and knows when each message was sent. */
class Receiver {
  readonly #client = createClient()
  readonly #sentAt = new Map<number, number>()
  #latencies: number[] = []
  #arrived: (() => void) | undefined

  async listen(protocol: 'http' | 'grpc'): Promise<Server> {
    const server =
      protocol === 'http'
        ? createServer({}, this.#http)
        : createServer({ protocols: ['h2c'] }, createGrpcHandler({ routes: this.#routes() }))
    await server.listen({ host: '127.0.0.1', port: 0 })
    return server
  }

  close(): void {
    this.#client.close()
  }

  /** Publishes at a steady rate. @returns p99 of the time to arrive in ms; 0 for a topic that nobody has subscribed to */
  async run(port: number, topic: string): Promise<number> {
    const total = perSecond * seconds
    this.#latencies = []
    this.#sentAt.clear()
    const all = new Promise<void>((resolve) => {
      this.#arrived = () => this.#latencies.length === total && resolve()
    })
    const origin = `http://127.0.0.1:${port}`
    const path = `/v1.0/publish/bus/${topic}`
    const fields = ['content-type', 'application/json']
    const pending: Promise<void>[] = []
    const startedAt = performance.now()
    while (pending.length < total) {
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000))
      while (pending.length < due) {
        const index = pending.length
        this.#sentAt.set(index, performance.now())
        const body = JSON.stringify({ index, text: 'a small event' })
        pending.push(
          this.#client.request({ origin, path, method: 'POST', fields, body }).then(async (response) => {
            await response.body.bytes()
            if (response.status !== 204) throw new Error(`publishing was answered with ${response.status}`)
          }),
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(pending)
    if (topic === 'nobody') return 0
    await all
    return percentile(Float64Array.from(this.#latencies).sort(), 0.99)
  }

  #came(data: unknown): void {
    const { index } = data as { index: number }
    this.#latencies.push(performance.now() - this.#sentAt.get(index)!)
    this.#arrived?.()
  }

  readonly #http: Handler = async (request, response) => {
    if (request.path === '/dapr/subscribe') {
      const subscriptions = [{ pubsubname: 'bus', topic: 'orders', route: '/orders' }]
      return response.send(200, ['content-type', 'application/json'], JSON.stringify(subscriptions))
    }
    if (request.path !== '/orders') return response.send(404)
    const body = await request.body.bytes()
    this.#came((JSON.parse(Buffer.from(body).toString()) as { data: unknown }).data)
    response.send(200)
  }

  #routes() {
    return routesOf(AppCallback, {
      listTopicSubscriptions: () => ({ subscriptions: [{ pubsubName: 'bus', topic: 'orders' }] }),
      onTopicEvent: ({ data }) => {
        this.#came(JSON.parse(Buffer.from(data).toString()))
        return {}
      },
    })
  }
}

async function ready(url: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const response = await fetch(`${url}/v1.0/healthz`)
    await response.arrayBuffer()
    if (response.status === 204) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('the application was not connected')
}
