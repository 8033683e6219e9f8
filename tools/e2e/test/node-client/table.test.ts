import { createClient, isOutriggerError, type Client } from '@outrigger/client'
import { describeWithService, say } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gather, much, rows, type Row } from './rows.ts'
import { inProcessWorld, sidecarWorld, type World } from './world.ts'

/** The answer, or everything that a caller can see of the failure. */
async function outcome(row: Row, { client, folder }: World): Promise<unknown> {
  try {
    return { answer: await row.run(client) }
  } catch (error) {
    if (!isOutriggerError(error)) throw error
    const { status, grpcStatus, errorCode, reason, message, details, retryable } = error
    // Components name their files.
    const said = message.replaceAll(folder, 'FOLDER')
    return { failure: { status, grpcStatus, errorCode, reason, message: said, details, retryable } }
  }
}

describeWithService('redis', 'one client over three transports', (get) => {
  const worlds: World[] = []
  const empty: World[] = []

  beforeAll(async () => {
    await say(get(), 'SET colour red')
    const nothing = (): readonly string[] => []
    worlds.push(
      await sidecarWorld('http', get()),
      await sidecarWorld('grpc', get()),
      await inProcessWorld(get()),
    )
    empty.push(
      await sidecarWorld('http', get(), nothing),
      await sidecarWorld('grpc', get(), nothing),
      await inProcessWorld(get(), nothing),
    )
  })

  afterAll(async () => {
    await Promise.all([...worlds, ...empty].map((world) => world.stop()))
  })

  test.each(rows)('$name', async (row) => {
    const [http, grpc, inside] = row.empty === true ? empty : worlds
    const overHttp = await outcome(row, http!)
    if (row.fails === undefined) expect(overHttp).not.toHaveProperty('failure')
    else expect(overHttp).toMatchObject({ failure: { errorCode: row.fails } })
    if ('answers' in row) expect(overHttp).toEqual({ answer: row.answers })
    expect(await outcome(row, grpc!), 'gRPC').toEqual(overHttp)
    expect(await outcome(row, inside!), 'in-process').toEqual(overHttp)
  })

  test('a stream that is larger than the sidecar takes is told so over HTTP', async () => {
    await using client = createClient({ httpEndpoint: worlds[0]!.url, env: {} })
    const stream = client.crypto.encrypt('keys', much(12_000_000), {
      keyName: 'aes.key',
      keyWrapAlgorithm: 'AES',
    })
    await expect(gather(stream)).rejects.toMatchObject({
      errorCode: 'ERR_BODY_READ',
      message: expect.stringContaining('--max-body-size'),
    })
  })

  describe.each([0, 1, 2])('changes of configuration, transport %i', (index) => {
    const client = (): Client => worlds[index]!.client

    test('come to who iterates, until the loop is left', async () => {
      await say(get(), 'SET flag 1')
      const subscription = await client().configuration.subscribe('settings', ['flag'])
      await say(get(), 'SET flag 2')
      for await (const changes of subscription) {
        expect(changes['flag']?.value).toBe('2')
        break
      }
      expect(await subscription.ended).toBeUndefined()
    })

    test('come to a function, until it is unsubscribed', async () => {
      const seen: string[] = []
      const subscription = await client().configuration.subscribe('settings', ['other', 'more'], {
        onChange: (changes) => void seen.push(...Object.values(changes).map(({ value }) => value)),
      })
      await say(get(), 'SET other a')
      await waitFor(() => seen.includes('a'), { what: 'a change' })
      await subscription.unsubscribe()
      await subscription.unsubscribe()
      const after = await client().configuration.subscribe('settings', ['other'])
      await say(get(), 'SET other b')
      for await (const changes of after) {
        expect(changes['other']?.value).toBe('b')
        break
      }
      expect(seen).not.toContain('b')
    })

    test('end when the signal says so, and what a function throws ends them too', async () => {
      const stop = new AbortController()
      const one = await client().configuration.subscribe('settings', ['x'], { signal: stop.signal })
      stop.abort()
      expect(await one.ended).toBeUndefined()
      const two = await client().configuration.subscribe('settings', ['x'], {
        onChange() {
          throw new Error('not this one')
        },
      })
      await say(get(), 'SET x 1')
      expect(await two.ended).toMatchObject({ message: 'not this one' })
    })
  })
})
