import {
  asText,
  replyCode,
  type RedisArgument,
  type RedisClient,
  type SendOptions,
} from '@outrigger/common-redis'
import { isComponentError } from '@outrigger/spec'
import { streamEntries, type StreamEntry } from './message.ts'

/** Deletes consumers that have nothing pending. A pending message would be lost with its consumer, so one script checks and deletes. */
export const leaveLua = `
local gone = 0
for i = 2, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[i]) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[i])
    gone = gone + 1
  end
end
return gone
`

export interface Pending {
  readonly id: string
  /** How often it was handed out so far. */
  readonly deliveries: number
}

type Leave = (args: readonly RedisArgument[], options?: SendOptions) => Promise<unknown>

export interface GroupOptions {
  readonly client: RedisClient
  /** A connection of its own: reading blocks it. */
  readonly reader: RedisClient
  readonly leave: Leave
  readonly topic: string
  readonly group: string
  readonly consumer: string
}

/** One consumer of one consumer group of one stream: the commands, without any policy. */
export class StreamGroup {
  readonly #options: GroupOptions
  #readerId: string | undefined

  constructor(options: GroupOptions) {
    this.#options = options
  }

  /** Makes stream and group if they are not there. The group begins with the oldest entry. */
  async create(signal?: AbortSignal): Promise<void> {
    try {
      await this.#send(
        'xgroup',
        ['CREATE', this.#options.topic, this.#options.group, '0', 'MKSTREAM'],
        signal,
      )
    } catch (error) {
      if (!isComponentError(error) || error.code !== 'ALREADY_EXISTS') throw error
    }
  }

  /** New entries; none when nothing came for `blockMs`. */
  async read(count: number, blockMs: number): Promise<StreamEntry[]> {
    const { reader, topic, group, consumer } = this.#options
    if (this.#readerId === undefined && reader.settings.mode !== 'cluster') {
      this.#readerId = asText(await reader.send('client', ['ID']))
    }
    try {
      const args = ['GROUP', group, consumer, 'COUNT', count, 'BLOCK', blockMs, 'STREAMS', topic, '>']
      const reply = (await reader.send('xreadgroup', args, { route: topic })) as
        | readonly [Buffer, unknown][]
        | null
      return streamEntries(reply?.[0]?.[1])
    } catch (error) {
      this.#readerId = undefined
      throw error
    }
  }

  /** Makes a read that blocks return at once, as if its time were over: nothing can get lost on the way. */
  async unblock(): Promise<void> {
    if (this.#readerId !== undefined) await this.#options.client.send('client', ['UNBLOCK', this.#readerId])
  }

  async ack(id: string): Promise<void> {
    await this.#send('xack', [this.#options.topic, this.#options.group, id])
  }

  /** What nobody has worked at for `minIdleMs`, oldest first. */
  async pending(minIdleMs: number, count: number): Promise<Pending[]> {
    const { topic, group } = this.#options
    const reply = await this.#send('xpending', [topic, group, 'IDLE', minIdleMs, '-', '+', count])
    return (reply as readonly [Buffer, Buffer, number, number][]).map(([id, , , deliveries]) => ({
      id: asText(id),
      deliveries: Number(deliveries),
    }))
  }

  /**
   * Takes over entries that are still idle. Entries that another consumer took first are not among the result;
   * those that were trimmed away are taken off the group's list.
   */
  async claim(ids: readonly string[], minIdleMs: number): Promise<StreamEntry[]> {
    const { topic, group, consumer } = this.#options
    const claimed = streamEntries(await this.#send('xclaim', [topic, group, consumer, minIdleMs, ...ids]))
    const present = new Set(claimed.filter(({ fields }) => fields !== undefined).map(({ id }) => id))
    const missing = ids.filter((id) => !present.has(id))
    // Redis 7 does this by itself.
    await Promise.all(
      missing.map(async (id) => {
        if (streamEntries(await this.#send('xrange', [topic, id, id])).length === 0) await this.ack(id)
      }),
    )
    return claimed.filter(({ id }) => present.has(id))
  }

  /** Says that the entries are being worked at, without counting it as a delivery. */
  async extend(ids: readonly string[]): Promise<void> {
    const { topic, group, consumer } = this.#options
    await this.#send('xclaim', [topic, group, consumer, 0, ...ids, 'JUSTID'])
  }

  /** Gives entries back: they count as idle for `idleMs`. */
  async release(ids: readonly string[], idleMs: number): Promise<void> {
    const { topic, group, consumer } = this.#options
    await this.#send('xclaim', [topic, group, consumer, 0, ...ids, 'IDLE', idleMs, 'JUSTID'])
  }

  /** Deletes this consumer, unless something is pending. */
  async leave(): Promise<void> {
    await this.#delete([this.#options.consumer])
  }

  /** Deletes consumers that were not heard of for `minIdleMs` and have nothing pending; returns how many. */
  async sweep(minIdleMs: number): Promise<number> {
    const { topic, group, consumer } = this.#options
    const reply = (await this.#send('xinfo', ['CONSUMERS', topic, group])) as readonly (readonly unknown[])[]
    const dead = reply
      .map((row) => Object.fromEntries(pairs(row)))
      .filter(({ idle, pending }) => Number(idle) >= minIdleMs && Number(pending) === 0)
      .map(({ name }) => asText(name))
      // A consumer that is named as its group is shared by all instances of other readers of this layout.
      .filter((name) => name !== consumer && name !== group)
    return dead.length === 0 ? 0 : this.#delete(dead)
  }

  async #delete(consumers: readonly string[]): Promise<number> {
    const { leave, topic, group } = this.#options
    return Number(await leave([topic, group, ...consumers], { repeatable: true }))
  }

  /** All of these may be carried out twice without harm. */
  #send(name: string, args: readonly RedisArgument[], signal?: AbortSignal): Promise<unknown> {
    const { client, topic } = this.#options
    return client.send(name, args, { route: topic, repeatable: true, signal })
  }
}

/** Whether the stream or its group is gone (flushed, deleted): it can be made anew. */
export function isGone(error: unknown): boolean {
  if (!isComponentError(error)) return false
  const code = replyCode(error.cause)
  return code === 'NOGROUP' || code === 'UNBLOCKED'
}

function* pairs(row: readonly unknown[]): Generator<[string, unknown]> {
  for (let at = 0; at + 1 < row.length; at += 2) yield [asText(row[at]), row[at + 1]]
}
