import { asText, type RedisClient, type Send } from '@outrigger/common-redis'
import { throwIfAborted } from '@outrigger/kit'
import type { KeysLikeRequest, KeysLikeResult } from '@outrigger/spec'
import { globLiteral, like } from './like.ts'

const batch = 1000

/** Hands over the keys of every master that the glob fits, in batches; a key may come twice. */
async function scan(
  client: RedisClient,
  glob: string,
  signal: AbortSignal | undefined,
  take: (keys: readonly string[]) => void | Promise<void>,
): Promise<void> {
  await client.onEachMaster(async (send: Send) => {
    let cursor = '0'
    do {
      throwIfAborted(signal)
      const [next, keys] = (await send('scan', [cursor, 'MATCH', glob, 'COUNT', batch])) as [Buffer, Buffer[]]
      cursor = asText(next)
      await take(keys.map(asText))
    } while (cursor !== '0')
  })
}

/**
 * Keys in order of their characters, page by page: the token is the last key of a page, so deletions between pages
 * skip nothing. Each page looks at every key of the database.
 */
export async function keysLike(
  client: RedisClient,
  request: KeysLikeRequest,
  signal: AbortSignal | undefined,
): Promise<KeysLikeResult> {
  const { glob, fits } = like(request.pattern)
  const { pageSize, continuationToken } = request
  const limit = pageSize === undefined || pageSize <= 0 ? Infinity : pageSize
  let found = new Set<string>()
  // One more than the page tells whether there is another.
  const trim = (): string[] => {
    const sorted = [...found].sort()
    return sorted.length > limit + 1 ? sorted.slice(0, limit + 1) : sorted
  }
  await scan(client, glob, signal, (keys) => {
    for (const key of keys) {
      if ((continuationToken === undefined || key > continuationToken) && fits(key)) found.add(key)
    }
    if (found.size > 2 * (limit + batch)) found = new Set(trim())
  })
  const keys = trim()
  if (keys.length <= limit) return { keys }
  keys.pop()
  return { keys, continuationToken: keys.at(-1)! }
}

/** Deletes what begins with the prefix; returns how many there were. */
export async function deleteWithPrefix(
  client: RedisClient,
  prefix: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  let deleted = 0
  await scan(client, `${globLiteral(prefix)}*`, signal, async (keys) => {
    // One command for each key: in a cluster they live in different slots. They travel together all the same.
    const counts = await Promise.all(keys.map((key) => client.send('unlink', [key], { signal })))
    for (const count of counts) deleted += Number(count)
  })
  return deleted
}
