import type { Database } from '@outrigger/common-sqlite'
import type { Clock, IncomingMessage, Metadata, Settlement } from '@outrigger/spec'

/** A message that this process holds the lease of. */
export interface ClaimedMessage {
  readonly id: number
  readonly incoming: IncomingMessage
  readonly attempts: number
}

/** What a look at a group tells without claiming anything. */
export interface GroupState {
  /** Something can be claimed now. */
  readonly ready: boolean
  /** When the next delivery that is waiting or leased becomes visible, in milliseconds since the epoch. */
  readonly nextVisibleAt?: number | undefined
}

export interface GroupOptions {
  readonly topic: string
  readonly name: string
  /** Identifies this consumer among all processes. */
  readonly owner: string
  readonly leaseMs: number
  readonly retentionMs: number
  /** When a message that was nacked for the nth time is visible again, from now in milliseconds. */
  readonly redeliverAfterMs: (attempts: number) => number
}

interface MessageRow {
  readonly id: number
  readonly data: Uint8Array
  readonly content_type: string | null
  readonly metadata: string
  readonly published_at: number
  readonly expires_at: number | null
}

const columns = 'id, data, content_type, metadata, published_at, expires_at'

/** One group of consumers of one topic, as the database has it. Every change is one transaction. */
export class Group {
  readonly topic: string
  readonly #database: Database
  readonly #clock: Clock
  readonly #options: GroupOptions
  #id = 0

  private constructor(database: Database, clock: Clock, options: GroupOptions) {
    this.topic = options.topic
    this.#database = database
    this.#clock = clock
    this.#options = options
  }

  /** Joins the group, which begins to exist with its first consumer. */
  static async join(
    database: Database,
    clock: Clock,
    options: GroupOptions,
    signal?: AbortSignal,
  ): Promise<Group> {
    const group = new Group(database, clock, options)
    await database.write(() => group.touch(), { signal })
    return group
  }

  /** Notes that the group is in use, and makes it where it is missing. Runs within a write. */
  touch(): void {
    const { topic, name } = this.#options
    const now = this.#clock.now()
    const found = this.#get(
      'UPDATE pubsub_groups SET used_at = ? WHERE topic = ? AND name = ? RETURNING id',
      now,
      topic,
      name,
    )
    // The first group of a topic also gets what waits there; a later one begins with what comes next.
    const made =
      found ??
      this.#database
        .statement(
          `INSERT INTO pubsub_groups (topic, name, used_at, cursor) SELECT :topic, :name, :now, CASE
             WHEN EXISTS (SELECT 1 FROM pubsub_groups WHERE topic = :topic)
             THEN ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'pubsub_messages'), 0) ELSE 0 END
           RETURNING id`,
        )
        .get({ topic, name, now })
    this.#id = made!['id'] as number
  }

  look(): Promise<GroupState> {
    return this.#database.read(() => {
      const row = this.#get(
        `SELECT EXISTS (SELECT 1 FROM pubsub_messages m WHERE m.topic = g.topic AND m.id > g.cursor) AS fresh,
           (SELECT min(visible_at) FROM pubsub_deliveries d WHERE d.group_id = g.id) AS next
         FROM pubsub_groups g WHERE g.id = ?`,
        this.#id,
      )
      // The group was dropped while nobody used it: claiming makes it anew.
      if (row === undefined) return { ready: true }
      const next = row['next'] as number | null
      const ready = row['fresh'] === 1 || (next !== null && next <= this.#clock.now())
      return { ready, nextVisibleAt: next ?? undefined }
    })
  }

  /** Takes the lease of up to `limit` messages: first those that are due again, then fresh ones, each in order. */
  claim(limit: number): Promise<readonly ClaimedMessage[]> {
    return this.#database.write(() => {
      if (this.#get('SELECT 1 FROM pubsub_groups WHERE id = ?', this.#id) === undefined) this.touch()
      const claimed = this.#claimDue(limit)
      if (claimed.length < limit) claimed.push(...this.#claimFresh(limit - claimed.length))
      return claimed
    })
  }

  /** An ack ends the delivery; a nack makes it visible after a while. Has no effect where the lease was lost. */
  async settle(message: ClaimedMessage, settlement: Settlement): Promise<void> {
    const { owner, redeliverAfterMs } = this.#options
    await this.#database.write(
      () => {
        if (settlement === 'ack') {
          this.#run(
            'DELETE FROM pubsub_deliveries WHERE group_id = ? AND message_id = ? AND owner = ?',
            this.#id,
            message.id,
            owner,
          )
        } else {
          this.#show(message.id, this.#clock.now() + redeliverAfterMs(message.attempts), 0)
        }
      },
      { single: true },
    )
  }

  /** Gives leases back at once. `handedOut` is false for messages that nobody has seen: they do not count. */
  async release(messages: readonly ClaimedMessage[], handedOut: boolean): Promise<void> {
    await this.#database.write(() => {
      const now = this.#clock.now()
      for (const { id } of messages) this.#show(id, now, handedOut ? 0 : 1)
    })
  }

  /** Prolongs leases that are still held. */
  async renew(messages: readonly ClaimedMessage[]): Promise<void> {
    await this.#database.write(() => {
      const until = this.#clock.now() + this.#options.leaseMs
      for (const { id } of messages) {
        this.#run(
          'UPDATE pubsub_deliveries SET visible_at = ? WHERE group_id = ? AND message_id = ? AND owner = ?',
          until,
          this.#id,
          id,
          this.#options.owner,
        )
      }
    })
  }

  #claimDue(limit: number): ClaimedMessage[] {
    const now = this.#clock.now()
    const rows = this.#database
      .statement(
        `UPDATE pubsub_deliveries SET owner = :owner, visible_at = :until, attempts = attempts + 1
         WHERE group_id = :group AND message_id IN (
           SELECT message_id FROM pubsub_deliveries WHERE group_id = :group AND visible_at <= :now
           ORDER BY visible_at LIMIT :limit)
         RETURNING message_id AS id, attempts`,
      )
      .all({ owner: this.#options.owner, until: now + this.#options.leaseMs, group: this.#id, now, limit })
    const due = rows as unknown as { readonly id: number; readonly attempts: number }[]
    return due
      .toSorted((a, b) => a.id - b.id)
      .flatMap(({ id, attempts }) => {
        const row = this.#get(`SELECT ${columns} FROM pubsub_messages WHERE id = ?`, id) as unknown as
          | MessageRow
          | undefined
        if (row !== undefined && this.#lives(row, now)) return [this.#toClaimed(row, attempts)]
        this.#run('DELETE FROM pubsub_deliveries WHERE group_id = ? AND message_id = ?', this.#id, id)
        return []
      })
  }

  #claimFresh(limit: number): ClaimedMessage[] {
    const now = this.#clock.now()
    const rows = this.#database
      .statement(
        `SELECT ${columns} FROM pubsub_messages WHERE topic = ?
         AND id > (SELECT cursor FROM pubsub_groups WHERE id = ?) ORDER BY id LIMIT ?`,
      )
      .all(this.topic, this.#id, limit) as unknown as MessageRow[]
    if (rows.length === 0) return []
    const living = rows.filter((row) => this.#lives(row, now))
    for (const { id } of living) {
      this.#run(
        'INSERT INTO pubsub_deliveries (group_id, message_id, owner, visible_at, attempts) VALUES (?, ?, ?, ?, 1)',
        this.#id,
        id,
        this.#options.owner,
        now + this.#options.leaseMs,
      )
    }
    this.#run('UPDATE pubsub_groups SET cursor = ? WHERE id = ?', rows.at(-1)!.id, this.#id)
    return living.map((row) => this.#toClaimed(row, 1))
  }

  #lives(row: MessageRow, now: number): boolean {
    return (
      (row.expires_at === null || row.expires_at > now) && row.published_at > now - this.#options.retentionMs
    )
  }

  #show(id: number, at: number, uncount: 0 | 1): void {
    this.#run(
      `UPDATE pubsub_deliveries SET owner = NULL, visible_at = ?, attempts = attempts - ?
       WHERE group_id = ? AND message_id = ? AND owner = ?`,
      at,
      uncount,
      this.#id,
      id,
      this.#options.owner,
    )
  }

  #toClaimed(row: MessageRow, attempts: number): ClaimedMessage {
    return {
      id: row.id,
      attempts,
      incoming: {
        topic: this.topic,
        data: row.data,
        contentType: row.content_type ?? undefined,
        metadata: JSON.parse(row.metadata) as Metadata,
        deliveryCount: attempts,
      },
    }
  }

  #get(sql: string, ...parameters: (number | string)[]): Record<string, unknown> | undefined {
    return this.#database.statement(sql).get(...parameters)
  }

  #run(sql: string, ...parameters: (number | string | null)[]): void {
    this.#database.statement(sql).run(...parameters)
  }
}
