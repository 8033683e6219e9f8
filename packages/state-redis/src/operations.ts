import { asBuffer, type RedisArgument } from '@outrigger/common-redis'
import {
  ComponentError,
  type Metadata,
  type StateDeleteRequest,
  type StateOperation,
  type StateSetRequest,
} from '@outrigger/spec'
import { documentValue, isDocument } from './documents.ts'

/** The longest that Redis can count down, in milliseconds. */
const longestMs = 2 ** 62

/**
 * What the script is told: the keys, each once, and six arguments for each operation.
 * @param documents metadata of the transaction where the server keeps JSON documents
 */
export function scriptArguments(
  operations: readonly StateOperation[],
  defaultTtlSeconds: number | undefined,
  documents?: Metadata,
): readonly RedisArgument[] {
  const numbers = new Map<string, number>()
  const rest: RedisArgument[] = []
  for (const { operation, request } of operations) {
    let number = numbers.get(request.key)
    if (number === undefined) numbers.set(request.key, (number = numbers.size + 1))
    const document = documents !== undefined && isDocument(request.metadata, documents)
    if (operation === 'upsert') pushSet(rest, number, request, defaultTtlSeconds, document)
    else rest.push('d', number, condition(request), '', '', document ? 'j' : '')
  }
  return [numbers.size, ...numbers.keys(), ...rest]
}

/** The same for a single write, which is what most are. */
export function setArguments(
  request: StateSetRequest,
  defaultTtlSeconds: number | undefined,
  document = false,
): readonly RedisArgument[] {
  const result: RedisArgument[] = [1, request.key]
  pushSet(result, 1, request, defaultTtlSeconds, document)
  return result
}

export function deleteArguments(request: StateDeleteRequest, document = false): readonly RedisArgument[] {
  return [1, request.key, 'd', 1, condition(request), '', '', document ? 'j' : '']
}

export function mismatch(key: string, etag: string | undefined): ComponentError {
  const why = etag === undefined ? 'there is a value already' : 'the ETag is not the current one'
  return new ComponentError('ETAG_MISMATCH', `key ${key}: ${why}`)
}

function pushSet(
  into: RedisArgument[],
  number: number,
  request: StateSetRequest,
  fallback: number | undefined,
  document: boolean,
): void {
  const ttl = request.ttlSeconds ?? fallback
  const ttlMs = ttl === undefined || ttl === 'never' ? '' : Math.min(ttl * 1000, longestMs)
  const { bytes, kind } = request.value
  const first = request.concurrency === 'first-write'
  const check = first && request.etag === undefined ? 'f' : condition(request)
  const data = document ? documentValue(request) : asBuffer(bytes)
  const sort = document ? 'j' : kind === 'binary' ? 'b' : ''
  into.push('s', number, check, data, ttlMs, sort + (first ? 'w' : ''))
}

function condition({ key, etag }: StateSetRequest | StateDeleteRequest): string {
  if (etag === undefined) return ''
  if (!/^\d{1,19}$/.test(etag)) {
    throw new ComponentError('ETAG_INVALID', `key ${key}: an ETag of this store is a whole number`)
  }
  return etag
}
