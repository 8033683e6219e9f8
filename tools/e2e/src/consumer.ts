import { fileURLToPath } from 'node:url'
import { freePort } from '@outrigger/testkit'
import { Child } from './child.ts'

const program = fileURLToPath(new URL('./consumer-program.ts', import.meta.url))
const running = new Set<Consumer>()

/** An application in a process of its own that consumes `orders` of `pubsub`, and can be killed and started again. */
export class Consumer {
  readonly port: number
  readonly protocol: 'http' | 'grpc'
  #child: Child | undefined
  readonly #earlier: string[] = []

  private constructor(port: number, protocol: 'http' | 'grpc') {
    this.port = port
    this.protocol = protocol
    running.add(this)
  }

  static async start(
    options: { readonly hold?: boolean; readonly protocol?: 'http' | 'grpc' } = {},
  ): Promise<Consumer> {
    const consumer = new Consumer(await freePort(), options.protocol ?? 'http')
    await consumer.restart(options)
    return consumer
  }

  get child(): Child {
    return this.#child!
  }

  /** Another life on the same port; with `hold` it takes messages and never answers. */
  async restart(options: { readonly hold?: boolean } = {}): Promise<void> {
    if (this.#child !== undefined) this.#earlier.push(...this.#child.stdout)
    this.#child = new Child(program, [], {
      env: { PORT: String(this.port), HOLD: options.hold === true ? '1' : '0', PROTOCOL: this.protocol },
    })
    await this.#child.line('listening')
  }

  kill(): Promise<number> {
    return this.child.end('SIGKILL')
  }

  /** Ids of all lives that came in. */
  get got(): readonly string[] {
    return this.#ids('got ')
  }

  /** Ids of all lives that were done, as often as they were. */
  get done(): readonly string[] {
    return this.#ids('done ')
  }

  #ids(prefix: string): string[] {
    return [...this.#earlier, ...this.child.stdout]
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length))
  }
}

export async function endConsumers(): Promise<void> {
  await Promise.all([...running].map((consumer) => consumer.kill()))
  running.clear()
}
