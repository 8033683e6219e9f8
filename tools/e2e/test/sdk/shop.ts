import { freePort, waitFor } from '@outrigger/testkit'
import { expect } from 'vitest'
import type { BuiltProgram, Started } from '../../interop/built-program.ts'
import { component, startSidecar, type Sidecar } from '../../src/index.ts'

/** What a handler was given. */
export type Given = Readonly<Record<string, unknown>>

/** A program with handlers, which reports what comes to them, and its sidecar. */
export class Shop {
  readonly #got = new Map<string, Given[]>()
  readonly #program: Started
  #sidecar: Sidecar | undefined

  private constructor(program: Started) {
    this.#program = program
  }

  /** Starts both. The program is told the port by `args`. */
  static async start(
    program: BuiltProgram,
    args: (port: string) => readonly string[],
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Shop> {
    const appPort = await freePort()
    const shop = new Shop(await program.start(args(String(appPort))))
    await shop.#collect()
    shop.#sidecar = await startSidecar({
      appId: 'shop',
      appPort,
      flags: ['--enable-app-health-check', ...flags],
      env,
      resources: [
        component('pubsub', 'pubsub.in-memory'),
        component('ticks', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
      ],
    })
    // Until it was asked it counts as not well.
    await waitFor(async () => !(await shop.invoke('absent')).text.includes('not in a healthy state'), {
      what: 'a program that is well',
    })
    return shop
  }

  async publish(topic: string, data: unknown, type = 'application/json'): Promise<void> {
    const headers = { 'content-type': type }
    const url = `${this.#sidecar!.url}/v1.0/publish/pubsub/${topic}?metadata.a=b`
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(data) })
    expect(answer.status).toBe(204)
  }

  /** Waits for what a handler was given. */
  received(name: string, count = 1): Promise<readonly Given[]> {
    return waitFor(() => ((this.#got.get(name)?.length ?? 0) >= count ? this.#got.get(name) : undefined), {
      what: `${count} for ${name}`,
    }) as Promise<readonly Given[]>
  }

  async invoke(
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; type: string | null; text: string }> {
    const answer = await fetch(`${this.#sidecar!.url}/v1.0/invoke/shop/method/${path}`, init)
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }

  async stop(): Promise<void> {
    await this.#sidecar!.stop()
    this.#program.child.stdin!.end()
    expect(await this.#program.ended).toBe('')
  }

  /** Collects what handlers are given. Settles when the program is ready. */
  #collect(): Promise<void> {
    const { lines, ended } = this.#program
    return new Promise((resolve, reject) => {
      const read = async (): Promise<void> => {
        for await (const line of lines) {
          if (line['ready'] === true) resolve()
          const name = line['got'] as string
          this.#got.set(name, [...(this.#got.get(name) ?? []), line['event'] as Given])
        }
        reject(new Error(await ended))
      }
      read().catch(reject)
    })
  }
}
