import type { Database } from '@outrigger/common-sqlite'
import type { Clock, Logger, Timer } from '@outrigger/spec'
import type { Group } from './group.ts'

const intervalMs = 5000
/** Rows of one transaction, and transactions for one purpose in a run: what is left over waits for the next run. */
const chunk = 500
const maxSteps = 500

/** Deletes what nobody needs any more, a few rows at a time, and keeps the groups that are in use. */
export class Janitor {
  readonly #database: Database
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #retentionMs: number
  readonly #groups: () => Iterable<Group>
  /** Where the last run stopped, by topic. */
  readonly #positions = new Map<string, number>()
  #touchedAt: number
  #timer: Timer | undefined
  #stopped = false

  constructor(
    database: Database,
    context: { readonly clock: Clock; readonly logger: Logger },
    retentionMs: number,
    groups: () => Iterable<Group>,
  ) {
    this.#database = database
    this.#clock = context.clock
    this.#logger = context.logger
    this.#retentionMs = retentionMs
    this.#groups = groups
    this.#touchedAt = context.clock.now()
  }

  start(): void {
    if (this.#stopped) return
    this.#timer = this.#clock.schedule(intervalMs, () => {
      void this.run().finally(() => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** One run. A failure is logged, and the next run tries again. */
  async run(): Promise<void> {
    try {
      await this.#touchGroups()
      await this.#dropGroups()
      const now = this.#clock.now()
      await this.#repeat(
        'SELECT 1 FROM pubsub_messages WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT 1',
        `DELETE FROM pubsub_messages WHERE id IN (SELECT id FROM pubsub_messages
           WHERE expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ${chunk})`,
        now,
      )
      await this.#repeat(
        'SELECT 1 FROM (SELECT published_at AS at FROM pubsub_messages ORDER BY id LIMIT 1) WHERE at <= ?',
        `DELETE FROM pubsub_messages WHERE id IN (SELECT id FROM pubsub_messages ORDER BY id LIMIT ${chunk})
           AND published_at <= ?`,
        now - this.#retentionMs,
      )
      const topics = await this.#database.read(() =>
        this.#database.statement('SELECT topic, min(cursor) AS done FROM pubsub_groups GROUP BY topic').all(),
      )
      for (const { topic, done } of topics) await this.#removeSettled(topic as string, done as number)
    } catch (error) {
      if (!this.#stopped) this.#logger.warn('old messages could not be removed', { error })
    }
  }

  /** Deletes as long as there is something; looks first, since looking takes no lock. */
  async #repeat(look: string, remove: string, parameter: number): Promise<void> {
    for (let step = 0; step < maxSteps && !this.#stopped; step++) {
      const found = await this.#database.read(() => this.#database.statement(look).get(parameter))
      if (found === undefined) return
      await this.#database.write(() => this.#database.statement(remove).run(parameter), { single: true })
    }
  }

  /** Messages that every group has claimed and settled. Goes on where the last run stopped. */
  async #removeSettled(topic: string, done: number): Promise<void> {
    for (let step = 0; step < maxSteps && !this.#stopped; step++) {
      const from = this.#positions.get(topic) ?? 0
      const row = await this.#database.read(() =>
        this.#database
          .statement(
            `SELECT max(id) AS last, count(*) AS n FROM (SELECT id FROM pubsub_messages
               WHERE topic = ? AND id > ? AND id <= ? ORDER BY id LIMIT ${chunk})`,
          )
          .get(topic, from, done),
      )
      const { last, n } = row as { last: number | null; n: number }
      if (last !== null) {
        await this.#database.write(
          () =>
            this.#database
              .statement(
                `DELETE FROM pubsub_messages WHERE topic = ? AND id > ? AND id <= ? AND NOT EXISTS (
                   SELECT 1 FROM pubsub_groups g CROSS JOIN pubsub_deliveries d
                   WHERE g.topic = pubsub_messages.topic AND d.group_id = g.id AND d.message_id = pubsub_messages.id)`,
              )
              .run(topic, from, last),
          { single: true },
        )
      }
      if (last === null || n < chunk) {
        // The end: what is still being delivered will be met again next time.
        this.#positions.delete(topic)
        return
      }
      this.#positions.set(topic, last)
    }
  }

  async #touchGroups(): Promise<void> {
    const now = this.#clock.now()
    if (now - this.#touchedAt < Math.min(this.#retentionMs / 4, 3_600_000)) return
    const groups = [...this.#groups()]
    await this.#database.write(() => groups.forEach((group) => group.touch()))
    this.#touchedAt = now
  }

  async #dropGroups(): Promise<void> {
    const limit = this.#clock.now() - this.#retentionMs
    await this.#repeat(
      `SELECT 1 FROM pubsub_groups g CROSS JOIN pubsub_deliveries d WHERE g.used_at <= ? AND d.group_id = g.id LIMIT 1`,
      `DELETE FROM pubsub_deliveries WHERE (group_id, message_id) IN (SELECT d.group_id, d.message_id
         FROM pubsub_groups g CROSS JOIN pubsub_deliveries d WHERE g.used_at <= ? AND d.group_id = g.id LIMIT ${chunk})`,
      limit,
    )
    await this.#repeat(
      'SELECT 1 FROM pubsub_groups WHERE used_at <= ? LIMIT 1',
      `DELETE FROM pubsub_groups WHERE id IN (SELECT id FROM pubsub_groups WHERE used_at <= ? LIMIT ${chunk})`,
      limit,
    )
  }
}
