import type { Query } from './agent.ts'
import { invalid, Reader, readList, readRecord, readTexts } from './read.ts'

/** How instances are asked for. */
export interface QuerySettings {
  readonly query: Query
  /** What goes with a question that is answered at once, and not with one that waits. */
  readonly immediate: Query
  /** The header that says how old an answer may be. */
  readonly cacheControl: string | undefined
  readonly token: string | undefined
  readonly waitTimeMs: number | undefined
}

/** How this instance is registered. */
export interface RegistrationSettings {
  readonly checks: readonly Record<string, unknown>[]
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  /** The whole of it, in place of the others. */
  readonly advanced: Readonly<Record<string, unknown>> | undefined
}

export interface Settings {
  readonly portKey: string
  readonly query: QuerySettings
  /** Absent where somebody else registers. */
  readonly registration: RegistrationSettings | undefined
  readonly deregister: boolean
}

interface Written {
  readonly queryOptions: unknown
  readonly selfRegister: boolean
  readonly selfDeregister: boolean
  readonly checks: unknown
  readonly tags: unknown
  readonly meta: unknown
  readonly daprPortMetaKey: string
  readonly advancedRegistration: unknown
}

/** Reads what stands beside the client. @throws `INVALID_METADATA` */
export function readSettings(written: Written): Settings {
  const advanced =
    written.advancedRegistration === undefined || written.advancedRegistration === null
      ? undefined
      : readRecord(written.advancedRegistration, 'advancedRegistration')
  const registration: RegistrationSettings = {
    checks: readList(written.checks, 'checks').map((each, index) => readRecord(each, `checks[${index}]`)),
    tags: readList(written.tags, 'tags').map((each, index) => {
      if (typeof each !== 'string') throw invalid(`tags[${index}]`, 'must be a text')
      return each
    }),
    meta: readTexts(written.meta, 'meta'),
    advanced,
  }
  return {
    portKey: written.daprPortMetaKey,
    query: readQuery(written.queryOptions),
    registration: written.selfRegister || advanced !== undefined ? registration : undefined,
    deregister: written.selfDeregister,
  }
}

const flag = (value: boolean | undefined): true | undefined => (value === true ? true : undefined)

function readQuery(value: unknown): QuerySettings {
  const options = new Reader(value, 'queryOptions')
  const cached = options.empty || options.bool('useCache') === true
  const [maxAgeMs, staleMs] = [options.durationMs('maxAge'), options.durationMs('staleIfError')]
  const control = [
    maxAgeMs === undefined ? [] : `max-age=${Math.floor(maxAgeMs / 1000)}`,
    staleMs === undefined ? [] : `stale-if-error=${Math.floor(staleMs / 1000)}`,
  ].flat()
  const nodeMeta = Object.entries(options.texts('nodeMeta')).map(([name, text]) => `${name}:${text}`)
  if (cached && options.bool('requireConsistent') === true) {
    throw invalid('queryOptions', 'must have one of useCache and requireConsistent')
  }
  return {
    query: {
      dc: options.text('datacenter'),
      ns: options.text('namespace'),
      partition: options.text('partition'),
      stale: flag(options.bool('allowStale')),
      consistent: flag(options.bool('requireConsistent')),
      near: options.text('near'),
      'node-meta': nodeMeta.length === 0 ? undefined : nodeMeta,
      filter: options.text('filter'),
    },
    immediate: { cached: flag(cached) },
    cacheControl: cached && control.length > 0 ? control.join(',') : undefined,
    token: options.text('token'),
    waitTimeMs: options.durationMs('waitTime'),
  }
}
