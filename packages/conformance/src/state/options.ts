import type {
  StateCapability,
  StateGetRequest,
  StateSetRequest,
  StateStore,
  StateValue,
} from '@outrigger/spec'
import { utf8 } from '@outrigger/kit'
import { plain } from '../checks.ts'
import type { Fixture, SuiteOptions } from '../fixture.ts'
import type { Case } from '../suite.ts'

/** What the state suite can be told. */
export interface StateSuiteOptions extends SuiteOptions {
  /** An ETag that cannot be one of this store and must be refused as `ETAG_INVALID`. Without it any string may be one. */
  readonly invalidEtag?: string | undefined
  /** What the store gives back besides the bytes; just `kind` without it. A layout that others read may have no room for either. */
  readonly keeps?: readonly ('kind' | 'contentType')[] | undefined
  /** Longest key in characters that must work; 500 without it. */
  readonly maxKeyLength?: number | undefined
}

export type StateFixture = Fixture<StateCapability, StateStore, StateSuiteOptions>
export type StateCase = Case<StateCapability, StateStore, StateSuiteOptions>

const metadata = Object.freeze({})

export function json(text: string): StateValue {
  return { bytes: utf8(text), kind: 'json', contentType: 'application/json' }
}

export function binary(bytes: Uint8Array): StateValue {
  return { bytes, kind: 'binary', contentType: 'application/octet-stream' }
}

export function getOf(key: string): StateGetRequest {
  return { key, consistency: 'strong', metadata }
}

export function setOf(
  key: string,
  value: StateValue | string,
  extra: Partial<Omit<StateSetRequest, 'key' | 'value'>> = {},
): StateSetRequest {
  return { key, value: typeof value === 'string' ? json(value) : value, metadata, ...extra }
}

export function deleteOf(
  key: string,
  etag?: string,
): { key: string; etag?: string; metadata: typeof metadata } {
  return etag === undefined ? { key, metadata } : { key, etag, metadata }
}

/** The value as text; `undefined` when there is none. */
export async function textOf(store: StateStore, key: string): Promise<string | undefined> {
  const item = await store.get(getOf(key), plain)
  return item === undefined ? undefined : Buffer.from(item.value.bytes).toString('utf8')
}

/** The current ETag, which must be there. */
export async function etagOf(store: StateStore, key: string): Promise<string> {
  const etag = (await store.get(getOf(key), plain))?.etag
  if (etag === undefined || etag === '') throw new Error(`the value of ${key} has no ETag`)
  return etag
}
