import { fileURLToPath } from 'node:url'
import { freePort } from '@outrigger/testkit'
import { Child } from './child.ts'

const usual = fileURLToPath(new URL('./consumer-program.ts', import.meta.url))
const running = new Set<Consumer>()

export interface ConsumerOptions {
  /** It takes messages and never answers. */
  readonly hold?: boolean
  readonly protocol?: 'http' | 'grpc'
  /** What it subscribes to, as `GET /dapr/subscribe` answers it; `orders` of `pubsub` without it. */
  readonly subscriptions?: readonly object[]
  /** How long it takes for each call. */
  readonly workMs?: number
  /** Another program than `consumer-program.ts`, which says the same on stdout, and what it needs to know. */
  readonly program?: string
  readonly env?: Readonly<Record<string, string>>
}

/** An application in a process of its own that consumes messages, and can be killed and started again. */
export class Consumer {
  readonly port: number
  readonly protocol: 'http' | 'grpc'
  readonly #options: ConsumerOptions
  #child: Child | undefined
  readonly #earlier: string[] = []

  private constructor(port: number, options: ConsumerOptions) {
    this.port = port
    this.protocol = options.protocol ?? 'http'
    this.#options = options
    running.add(this)
  }

  static async start(options: ConsumerOptions = {}): Promise<Consumer> {
    const consumer = new Consumer(await freePort(), options)
    await consumer.restart(options)
    return consumer
  }

  get child(): Child {
    return this.#child!
  }

  /** Another life on the same port. */
  async restart({ hold = false }: Pick<ConsumerOptions, 'hold'> = {}): Promise<void> {
    const { subscriptions, workMs = 0, program = usual, env } = this.#options
    if (this.#child !== undefined) this.#earlier.push(...this.#child.stdout)
    this.#child = new Child(program, [], {
      env: {
        PORT: String(this.port),
        HOLD: hold ? '1' : '0',
        WORK_MS: String(workMs),
        PROTOCOL: this.protocol,
        SUBSCRIPTIONS: subscriptions && JSON.stringify(subscriptions),
        ...env,
      },
    })
    await this.#child.line('listening')
  }

  kill(): Promise<number> {
    return this.child.end('SIGKILL')
  }

  /** Ids of all lives that came in. */
  get got(): readonly string[] {
    return this.ids('got')
  }

  /** Ids of all lives that were done, as often as they were. */
  get done(): readonly string[] {
    return this.ids('done')
  }

  /** Ids of all lives of which this was said. */
  ids(what: string): string[] {
    return [...this.#earlier, ...this.child.stdout]
      .filter((line) => line.startsWith(`${what} `))
      .map((line) => line.slice(what.length + 1))
  }
}

export async function endConsumers(): Promise<void> {
  await Promise.all([...running].map((consumer) => consumer.kill()))
  running.clear()
}
