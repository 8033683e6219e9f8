import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { waitFor } from '@outrigger/testkit'
import { afterAll, expect, it } from 'vitest'
import type { Answer, Command, Order } from './measured.ts'

const connections = 1000
const streams = 10
/** Several times what is measured: these catch a leak or a buffer a stream, not a field more. */
const bytesAConnection = 16 * 1024
const bytesAStream = 8 * 1024
/** Of ten thousand streams and a thousand connections nothing may be left; shapes and compiled code may grow. */
const bytesLeft = 1024 * 1024

const children: Measured[] = []
afterAll(() => {
  for (const child of children) child.kill()
})

class Measured {
  readonly #child: ChildProcess
  #told: ((answer: Answer) => void) | undefined

  constructor(program: string, argument: number) {
    this.#child = fork(join(import.meta.dirname, program), [String(argument)], {
      execArgv: ['--conditions=@outrigger/source', '--expose-gc'],
    })
    this.#child.on('message', (answer: Answer) => this.#told?.(answer))
    this.#child.on('exit', () => this.#told?.({ error: 'the process ended' }))
    children.push(this)
  }

  /** One order at a time. */
  async tell(order: Order, count = 0): Promise<number> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#told = resolve
      this.#child.send({ order, count } satisfies Command)
    })
    if ('error' in answer) throw new Error(answer.error)
    return answer.value
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

it('holds a thousand connections with ten streams each, and gives their memory back', async () => {
  const server = new Measured('server.ts', streams)
  const clients = new Measured('clients.ts', await server.tell('open'))
  const used = async (): Promise<Record<'server' | 'client', number>> => ({
    server: await server.tell('used'),
    client: await clients.tell('used'),
  })
  const close = async (): Promise<void> => {
    await clients.tell('close')
    await waitFor(async () => (await server.tell('connections')) === 0, { what: 'all connections are gone' })
  }
  const round = async (count: number) => {
    await clients.tell('open', count * streams)
    expect(await server.tell('connections')).toBe(count)
    await clients.tell('echo')
    const busy = await used()
    await clients.tell('echo')
    await clients.tell('finish')
    expect(await server.tell('connections')).toBe(count)
    const idle = await used()
    await close()
    return { busy, idle, left: await used() }
  }
  const { left: before } = await round(connections / 10)
  const { busy, idle, left } = await round(connections)
  for (const side of ['server', 'client'] as const) {
    const connection = (idle[side] - before[side]) / connections
    const stream = (busy[side] - idle[side]) / connections / streams
    const rest = left[side] - before[side]
    console.log(
      `HTTP/2 ${side}: ${Math.round(connection)} bytes an idle connection, ${Math.round(stream)} an open stream, ${rest} left of all`,
    )
    expect(connection, `${side}: bytes a connection`).toBeLessThan(bytesAConnection)
    expect(stream, `${side}: bytes a stream`).toBeLessThan(bytesAStream)
    expect(rest, `${side}: bytes left`).toBeLessThan(bytesLeft)
  }
}, 120_000)
