import { asBuffer, type RedisArgument } from '@outrigger/common-redis'
import {
  ComponentError,
  type StateDeleteRequest,
  type StateOperation,
  type StateSetRequest,
} from '@outrigger/spec'

/** The longest that Redis can count down, in milliseconds. */
const longestMs = 2 ** 62

/** What the script is told: the keys, each once, and six arguments for each operation. */
export function scriptArguments(
  operations: readonly StateOperation[],
  defaultTtlSeconds: number | undefined,
): readonly RedisArgument[] {
  const numbers = new Map<string, number>()
  const rest: RedisArgument[] = []
  for (const { operation, request } of operations) {
    let number = numbers.get(request.key)
    if (number === undefined) numbers.set(request.key, (number = numbers.size + 1))
    if (operation === 'upsert') pushSet(rest, number, request, defaultTtlSeconds)
    else rest.push('d', number, condition(request), '', '', '')
  }
  return [numbers.size, ...numbers.keys(), ...rest]
}

/** The same for a single write, which is what most are. */
export function setArguments(
  request: StateSetRequest,
  defaultTtlSeconds: number | undefined,
): readonly RedisArgument[] {
  const result: RedisArgument[] = [1, request.key]
  pushSet(result, 1, request, defaultTtlSeconds)
  return result
}

export function deleteArguments(request: StateDeleteRequest): readonly RedisArgument[] {
  return [1, request.key, 'd', 1, condition(request), '', '', '']
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
): void {
  const ttl = request.ttlSeconds ?? fallback
  const ttlMs = ttl === undefined || ttl === 'never' ? '' : Math.min(ttl * 1000, longestMs)
  const { bytes, kind } = request.value
  const first = request.concurrency === 'first-write'
  const check = first && request.etag === undefined ? 'f' : condition(request)
  into.push('s', number, check, asBuffer(bytes), ttlMs, `${kind === 'binary' ? 'b' : ''}${first ? 'w' : ''}`)
}

function condition({ key, etag }: StateSetRequest | StateDeleteRequest): string {
  if (etag === undefined) return ''
  if (!/^\d{1,19}$/.test(etag)) {
    throw new ComponentError('ETAG_INVALID', `key ${key}: an ETag of this store is a whole number`)
  }
  return etag
}
