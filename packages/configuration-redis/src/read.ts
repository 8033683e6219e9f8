import { asText, replyCode, type RedisClient } from '@outrigger/common-redis'
import { mapConcurrently, throwIfAborted } from '@outrigger/kit'
import { ComponentError } from '@outrigger/spec'

/** The most keys that one read or subscription deals with. */
export const mostKeys = 100_000
const scanCount = 1000
const parallelReads = 500

/** The texts of keys; those that do not exist or hold no string are left out. */
export async function readKeys(
  client: RedisClient,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  // One command for each key: they travel together, and in a cluster they live on different nodes.
  await mapConcurrently(keys, parallelReads, async (key) => {
    const reply = await client
      .send('get', [key], { signal, repeatable: true })
      .catch((error: unknown) => nothingIfNoString(error))
    if (reply !== null) found.set(key, asText(reply))
  })
  return found
}

/** Every key of the database that holds a string. */
export async function allKeys(
  client: RedisClient,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  await client.onEachMaster(async (send) => {
    let cursor = '0'
    do {
      throwIfAborted(signal)
      const reply = (await send('scan', [cursor, 'COUNT', scanCount, 'TYPE', 'string'])) as [Buffer, Buffer[]]
      cursor = asText(reply[0])
      for (const key of reply[1]) found.add(asText(key))
      if (found.size > mostKeys) throw tooMany()
    } while (cursor !== '0')
  })
  return found
}

export function tooMany(): ComponentError {
  return new ComponentError(
    'RESOURCE_EXHAUSTED',
    `the database holds more than ${mostKeys} keys: name the keys that are wanted`,
    { retryable: false },
  )
}

function nothingIfNoString(error: unknown): null {
  if (replyCode((error as Error).cause) === 'WRONGTYPE') return null
  throw error
}
