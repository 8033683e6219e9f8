import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connectRedis, redisFields, redisSettings } from '@outrigger/common-redis'
import { silentLogger, systemClock, systemRandom } from '@outrigger/conformance'
import { fields } from '@outrigger/kit'
import { describeWithService, say, startRedisCluster, type RedisGroup } from '@outrigger/services'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaveLua, StreamGroup } from '../src/group.ts'
import { inbox, open, plain, publish, until } from './helpers.ts'

describeWithService('redis', 'pubsub.redis on a server', (service) => {
  const at = () => `${service().host}:${service().port}`
  const connect = (properties = {}, appId?: string) => open({ redisHost: at(), ...properties }, appId)

  test('an entry written by hand in the common layout is delivered, and ours has that layout', async () => {
    const pubsub = await connect()
    await say(service(), 'XADD theirs * metadata "{\\"a\\":\\"b\\"}" data hello')
    const box = inbox()
    await pubsub.subscribe({ topic: 'theirs', metadata: {} }, box.deliver, plain)
    await until('the message', () => box.messages.length > 0)
    expect(box.messages[0]).toMatchObject({ topic: 'theirs', metadata: { a: 'b' }, deliveryCount: 1 })
    expect(box.texts).toEqual(['hello'])
    await pubsub.publish({ topic: 'ours', data: Buffer.from('x'), metadata: { a: 'b' } }, plain)
    expect(await say(service(), 'XRANGE ours - +')).toMatch(
      /\*4\r\n\$4\r\ndata\r\n\$1\r\nx\r\n\$8\r\nmetadata\r\n\$9\r\n{"a":"b"}/,
    )
    await pubsub.close()
  })

  test('what a killed process had in its hands is delivered to another instance', async () => {
    const pubsub = await connect()
    const script = fileURLToPath(new URL('./fixture/hangs.ts', import.meta.url))
    const child = spawn(process.execPath, ['--conditions=@outrigger/source', script, at(), 'killed'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await publish(pubsub, 'killed', '1')
    expect((await lines.next()).value).toBe('1')
    const box = inbox()
    await pubsub.subscribe({ topic: 'killed', metadata: {} }, box.deliver, plain)
    await new Promise((resolve) => setTimeout(resolve, 900))
    expect(box.texts, 'the living keep what they have').toEqual([])
    child.kill('SIGKILL')
    await until('the redelivery', () => box.messages.length > 0)
    expect(box.messages[0]!.deliveryCount).toBe(2)
    expect(box.texts).toEqual(['1'])
    await pubsub.close()
  })

  test('a stream that was deleted is made anew, and what comes then is delivered', async () => {
    const pubsub = await connect()
    const box = inbox()
    await pubsub.subscribe({ topic: 'flushed', metadata: {} }, box.deliver, plain)
    await publish(pubsub, 'flushed', '1')
    await until('the first message', () => box.texts.includes('1'))
    await say(service(), 'DEL flushed')
    await publish(pubsub, 'flushed', '2')
    await until('the second message', () => box.texts.includes('2'))
    await pubsub.close()
  })

  test('pending entries that were trimmed away are forgotten', async () => {
    const first = await connect()
    const hanging = inbox(() => new Promise(() => {}))
    await first.subscribe({ topic: 'trimmed', metadata: {} }, hanging.deliver, plain)
    for (const text of ['1', '2']) await publish(first, 'trimmed', text)
    await until('both', () => hanging.messages.length === 2)
    await first.close()
    await say(service(), 'XTRIM trimmed MAXLEN 1')
    const second = await connect()
    const box = inbox()
    await second.subscribe({ topic: 'trimmed', metadata: {} }, box.deliver, plain)
    await until('nothing to be pending', async () =>
      (await say(service(), 'XPENDING trimmed app')).startsWith('*4\r\n:0\r\n'),
    )
    expect(box.texts).toEqual(['2'])
    await second.close()
  })

  test('closing leaves neither consumer nor connection behind', async () => {
    const connections = async () => (await say(service(), 'CLIENT LIST')).match(/^id=/gm)!.length
    const before = await connections()
    const pubsub = await connect()
    for (const topic of ['gone', 'gone', 'gone too']) {
      await pubsub.subscribe({ topic, metadata: {} }, inbox().deliver, plain)
    }
    await publish(pubsub, 'gone', '1')
    await until(
      'a consumer',
      async () => !(await say(service(), 'XINFO CONSUMERS gone app')).startsWith('*0'),
    )
    await pubsub.close()
    expect(await say(service(), 'XINFO CONSUMERS gone app')).toMatch(/^\*0\r\n/)
    await until('the connections to go', async () => (await connections()) <= before)
  })

  test('dead consumers are swept away, but not those with pending entries and not a shared one', async () => {
    const parsed = fields(redisFields).parse({ redisHost: at() })
    if ('issues' in parsed) throw new Error('issues')
    const options = {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      signal: new AbortController().signal,
    }
    const client = await connectRedis(redisSettings(parsed.value), options)
    const leave = client.script({ name: 'leave', lua: leaveLua, keys: 1 })
    const group = new StreamGroup({
      client,
      reader: client,
      leave,
      topic: 'swept',
      group: 'g',
      consumer: 'me',
    })
    await group.create()
    for (const name of ['dead', 'busy', 'g', 'me'])
      await say(service(), `XGROUP CREATECONSUMER swept g ${name}`)
    await say(service(), 'XADD swept * data 1')
    await say(service(), 'XREADGROUP GROUP g busy COUNT 1 STREAMS swept >')
    expect(await group.sweep(3_600_000)).toBe(0)
    expect(await group.sweep(0)).toBe(1)
    const left = await say(service(), 'XINFO CONSUMERS swept g')
    expect(left).toMatch(/^\*3\r\n/)
    expect(left).not.toContain('dead')
    await client.close()
  })

  test('a key that is no stream refuses subscribers, and ends those that are there', async () => {
    const pubsub = await connect()
    await say(service(), 'SET taken 1')
    const subscribing = pubsub.subscribe({ topic: 'taken', metadata: {} }, inbox().deliver, plain)
    await expect(subscribing).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' })
    const failures = await pubsub.bulkPublish!(
      { topic: 'taken', entries: [{ entryId: 'a', data: Buffer.from('1'), metadata: {} }], metadata: {} },
      plain,
    )
    expect(failures).toMatchObject([{ entryId: 'a', error: { code: 'FAILED_PRECONDITION' } }])
    const subscription = await pubsub.subscribe(
      { topic: 'taken later', metadata: {} },
      inbox().deliver,
      plain,
    )
    await say(service(), 'SET "taken later" 1')
    expect(await subscription.ended).toMatchObject({ code: 'FAILED_PRECONDITION' })
    await pubsub.close()
  })

  test('a stream is cut to about its greatest length, or age', async () => {
    const short = await connect({ maxLenApprox: '10' })
    await Promise.all(Array.from({ length: 500 }, (_, n) => publish(short, 'short', `${n}`)))
    expect(Number(/:(\d+)/.exec(await say(service(), 'XLEN short'))![1])).toBeLessThan(300)
    const young = await connect({ streamTTL: '1h' })
    for (let n = 1; n <= 200; n++) await say(service(), `XADD young ${n}-1 data 1`)
    await publish(young, 'young', 'new')
    expect(Number(/:(\d+)/.exec(await say(service(), 'XLEN young'))![1])).toBeLessThan(150)
    await Promise.all([short.close(), young.close()])
  })
})

describeWithService(
  'redis',
  'a restart of the server',
  (service) => {
    test('loses nothing that was published, and the subscription goes on by itself', async () => {
      const redisHost = `${service().host}:${service().port}`
      const pubsub = await open({ redisHost, redisMaxRetryInterval: '5s' })
      const box = inbox(() => new Promise((resolve) => setTimeout(() => resolve('ack'), 5)))
      await pubsub.subscribe({ topic: 't', metadata: {} }, box.deliver, plain)
      const published: string[] = []
      let stop = false
      const publishing = (async () => {
        for (let n = 0; !stop; n++) {
          await publish(pubsub, 't', `${n}`).then(
            () => published.push(`${n}`),
            (error: unknown) => expect(error).toMatchObject({ code: 'UNAVAILABLE' }),
          )
        }
      })()
      await until('the first messages', () => box.messages.length > 50)
      await service().kill()
      await service().restart()
      const before = box.messages.length
      await until('messages after the restart', () => box.messages.length > before + 50)
      stop = true
      await publishing
      // Asked often, of thousands: what takes long keeps the messages from coming.
      const missing = (): string[] => {
        const got = new Set(box.texts)
        return published.filter((text) => !got.has(text))
      }
      try {
        await until('every message', () => missing().length === 0)
      } catch (error) {
        const said = [`XPENDING t app`, `XINFO GROUPS t`, `XINFO STREAM t`].map((text) =>
          say(service(), text),
        )
        const state = (await Promise.all(said)).join('\n')
        throw new Error(`${missing().join()} of ${published.length} are missing\n${state}`, { cause: error })
      }
      await pubsub.close()
    })
  },
  { args: ['--appendonly', 'yes', '--appendfsync', 'always'] },
)

describeWithService('redis', 'a cluster', () => {
  let cluster: RedisGroup
  beforeAll(async () => {
    cluster = await startRedisCluster()
  }, 120_000)
  afterAll(() => cluster?.stop(), 60_000)

  test('delivers topics of every node', async () => {
    const pubsub = await open({ redisHost: cluster.address, redisType: 'cluster' })
    const topics = ['a', 'b', 'c', 'd']
    const boxes = topics.map(() => inbox())
    for (const [n, topic] of topics.entries()) {
      await pubsub.subscribe({ topic, metadata: {} }, boxes[n]!.deliver, plain)
    }
    await Promise.all(topics.map((topic) => publish(pubsub, topic, topic)))
    await until('all messages', () => boxes.every(({ messages }) => messages.length > 0))
    expect(boxes.map(({ texts }) => texts)).toEqual(topics.map((topic) => [topic]))
    await pubsub.close()
  })
})
