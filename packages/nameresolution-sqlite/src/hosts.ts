import type { Database } from '@outrigger/common-sqlite'
import { parseHostPort } from '@outrigger/kit'
import type { Clock, Instance, ResolveRequest } from '@outrigger/spec'
import type { TableNames } from './schema.ts'

/** One row of an instance of this process. */
export interface HostRow {
  readonly id: string
  /** `host:port`, IPv6 in brackets. */
  readonly address: string
  readonly appId: string
  readonly namespace: string
}

/** Instances of one application that are given at most. */
const largestAnswer = 10_000

/**
 * The table of all instances on the machine. Times are whole seconds, as Dapr has them. Rows of Dapr have no namespace
 * and belong to every one.
 */
export class HostTable {
  #database: Database
  readonly #clock: Clock
  readonly #intervalS: number
  readonly #sql: Readonly<Record<'find' | 'put' | 'renew' | 'holder' | 'remove' | 'claim' | 'sweep', string>>

  constructor(
    database: Database,
    { hosts, metadata }: TableNames,
    context: { readonly clock: Clock; readonly metadata: { readonly updateIntervalMs: number } },
  ) {
    this.#database = database
    this.#clock = context.clock
    this.#intervalS = context.metadata.updateIntervalMs / 1000
    this.#sql = {
      find: `SELECT address FROM ${hosts} WHERE app_id = :appId AND namespace IN ('', :namespace)
        AND :now - last_update < :interval ORDER BY address LIMIT ${largestAnswer}`,
      put: `REPLACE INTO ${hosts} (registration_id, address, app_id, namespace, last_update)
        VALUES (:id, :address, :appId, :namespace, :now)`,
      renew: `UPDATE ${hosts} SET last_update = :now WHERE registration_id = :id AND address = :address`,
      holder: `SELECT app_id FROM ${hosts} WHERE address = :address AND :now - last_update < :interval`,
      remove: `DELETE FROM ${hosts} WHERE registration_id = :id`,
      // Of all who share the file, one cleans up in each interval.
      claim: `INSERT INTO ${metadata} (key, value) VALUES ('nr-last-cleanup', datetime(:now, 'unixepoch'))
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE :now - unixepoch(value) >= :every`,
      sweep: `DELETE FROM ${hosts} WHERE :now - last_update >= :interval`,
    }
  }

  get path(): string {
    return this.#database.path
  }

  /** Uses another file from now on. @returns the one before, which still has to be closed */
  use(database: Database): Database {
    const before = this.#database
    this.#database = database
    return before
  }

  find({ appId, namespace }: ResolveRequest, signal?: AbortSignal): Promise<Instance[]> {
    const query = { appId, namespace, now: this.#now(), interval: this.#intervalS }
    const database = this.#database
    return database.read(() => {
      const rows = database.statement(this.#sql.find).all(query)
      return rows.flatMap((row) => {
        const { host, port } = parseHostPort(row['address'] as string) ?? {}
        return host === undefined || port === undefined ? [] : [{ host, port }]
      })
    }, signal)
  }

  /** Takes the address, whoever had it: its port is ours, so the other one is gone. */
  async put(row: HostRow, signal?: AbortSignal): Promise<void> {
    const values = { ...row, now: this.#now() }
    const database = this.#database
    await database.write(() => database.statement(this.#sql.put).run(values), {
      signal,
      single: true,
    })
  }

  /**
   * Says that the instance is still there, and puts it back when somebody took it out.
   * @returns the id of the application that has its address now, when that one is alive
   */
  renew(row: HostRow): Promise<string | undefined> {
    const { id, address } = row
    const now = this.#now()
    const database = this.#database
    return database.write(() => {
      const { changes } = database.statement(this.#sql.renew).run({ id, address, now })
      if (changes !== 0) return undefined
      const held = database.statement(this.#sql.holder).get({ address, now, interval: this.#intervalS })
      if (held !== undefined) return held['app_id'] as string
      database.statement(this.#sql.put).run({ ...row, now })
      return undefined
    })
  }

  async remove(id: string): Promise<void> {
    const database = this.#database
    await database.write(() => database.statement(this.#sql.remove).run({ id }), { single: true })
  }

  /** Removes rows of instances that are gone, unless somebody did within `everyMs`. */
  async sweep(everyMs: number): Promise<void> {
    const now = this.#now()
    const database = this.#database
    await database.write(() => {
      const every = Math.floor(everyMs / 1000)
      const { changes } = database.statement(this.#sql.claim).run({ now, every })
      if (changes !== 0) database.statement(this.#sql.sweep).run({ now, interval: this.#intervalS })
    })
  }

  /** A number that changes when another connection, of any process, has written. */
  version(): Promise<number> {
    const database = this.#database
    return database.read(() => database.dataVersion())
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000)
  }
}
