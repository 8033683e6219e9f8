import { utf8 } from '@outrigger/kit'
import { expect } from 'vitest'
import { everyByte, expectBytes, mebibyte, plain } from '../checks.ts'
import { Inbox, join, publish, publishOf, quietMs, type PubSubCase } from './options.ts'

const payloads: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ['JSON with numbers beyond 2^53', utf8('{"a":12345678901234567890, "b" : 1.10}')],
  ['unicode', utf8('ключ 鍵 🔑')],
  ['nothing at all', new Uint8Array()],
  ['every byte, with NULs', everyByte()],
  ['1 MiB', mebibyte()],
]

export const messageCases: readonly PubSubCase[] = [
  ...payloads.map(([what, bytes]): PubSubCase => ({
    name: `bytes arrive as they were: ${what}`,
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      await member.pubsub.publish({ topic, data: bytes.slice(), metadata: {} }, plain)
      await fixture.until('the message', () => inbox.messages.length > 0)
      expectBytes(inbox.messages[0]!.data, bytes)
      expect(inbox.messages[0]!.topic).toBe(topic)
    },
  })),
  {
    name: 'content type and metadata arrive',
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const keeps = fixture.options.keeps ?? ['contentType', 'metadata']
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      const metadata = { colour: 'grün', 'x-empty': '' }
      const contentType = 'application/cloudevents+json; charset=utf-8'
      await member.pubsub.publish(publishOf(topic, '{}', { contentType, metadata }), plain)
      await fixture.until('the message', () => inbox.messages.length > 0)
      if (keeps.includes('contentType')) expect(inbox.messages[0]!.contentType).toBe(contentType)
      if (keeps.includes('metadata')) expect(inbox.messages[0]!.metadata).toMatchObject(metadata)
    },
  },
  {
    name: 'topics are kept apart',
    run: async (fixture) => {
      const topics = [fixture.unique('topic'), fixture.unique('topic'), fixture.unique('topic')]
      const inboxes = topics.map(() => new Inbox())
      const member = await join(fixture, fixture.unique('app'))
      for (const [n, topic] of topics.entries()) await member.subscribe(topic, inboxes[n]!.deliver)
      await Promise.all(topics.map((topic) => publish(member.pubsub, topic, `${topic} 1`, `${topic} 2`)))
      await fixture.until('all messages', () => inboxes.every(({ messages }) => messages.length >= 2))
      for (const [n, topic] of topics.entries()) {
        expect(inboxes[n]!.texts.toSorted()).toEqual([`${topic} 1`, `${topic} 2`])
        expect(inboxes[n]!.messages.every((message) => message.topic === topic)).toBe(true)
      }
    },
  },
  {
    name: 'topics with odd characters work and are kept apart',
    run: async (fixture) => {
      const base = fixture.unique('topic')
      const endings = fixture.options.topicEndings ?? [
        '/a',
        '.a',
        ':a',
        '_a',
        ' a',
        '%2Fa',
        '-ü鍵',
        '-A',
        '-a',
      ]
      const inboxes = endings.map(() => new Inbox())
      const member = await join(fixture, fixture.unique('app'))
      for (const [n, ending] of endings.entries()) await member.subscribe(base + ending, inboxes[n]!.deliver)
      await Promise.all(endings.map((ending) => publish(member.pubsub, base + ending, ending)))
      await fixture.until('all messages', () => inboxes.every(({ messages }) => messages.length > 0))
      expect(inboxes.map(({ texts }) => texts)).toEqual(endings.map((ending) => [ending]))
      expect(inboxes.map(({ messages }) => messages[0]!.topic)).toEqual(
        endings.map((ending) => base + ending),
      )
    },
  },
  {
    name: 'publishing where nobody subscribes is no error',
    run: (fixture) => fixture.instance.publish(publishOf(fixture.unique('topic'), '1'), plain),
  },
  {
    name: 'what is published right after subscribe resolved is delivered',
    run: async (fixture) => {
      const member = await join(fixture, fixture.unique('app'))
      for (let round = 0; round < 5; round++) {
        const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
        await member.subscribe(topic, inbox.deliver)
        await publish(member.pubsub, topic, '1')
        await fixture.until('the message', () => inbox.count('1') === 1)
      }
    },
  },
  {
    name: '200 messages published at once arrive once each',
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      const texts = Array.from({ length: 200 }, (_, n) => `${n}`)
      await publish(member.pubsub, topic, ...texts)
      await fixture.until('all messages', () => inbox.messages.length >= texts.length)
      expect(inbox.texts.toSorted()).toEqual(texts.toSorted())
    },
  },
  {
    name: 'bulkPublish publishes every entry and tells of no failure',
    needs: ['bulkPublish'],
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      const entries = Array.from({ length: 30 }, (_, n) => ({
        entryId: `e${n}`,
        data: utf8(`${n}`),
        contentType: 'text/plain',
        metadata: { n: `${n}` },
      }))
      expect(await member.pubsub.bulkPublish!({ topic, entries, metadata: {} }, plain)).toEqual([])
      await fixture.until('all messages', () => inbox.messages.length >= entries.length)
      expect(inbox.texts.toSorted()).toEqual(entries.map((_, n) => `${n}`).toSorted())
      const kept = fixture.options.keeps?.includes('metadata') ?? true
      for (const { data, metadata } of kept ? inbox.messages : []) {
        expect(metadata['n']).toBe(Buffer.from(data).toString())
      }
      expect(await member.pubsub.bulkPublish!({ topic, entries: [], metadata: {} }, plain)).toEqual([])
    },
  },
  {
    name: 'with a partition key messages arrive in order, one delivery after the other',
    needs: ['ordering'],
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const metadataOf = fixture.options.partitionMetadata ?? ((key: string) => ({ partitionKey: key }))
      const underWay = new Set<string>()
      let overlaps = 0
      inbox.answer = async (message) => {
        const key = Buffer.from(message.data).toString().slice(0, 1)
        if (underWay.has(key)) overlaps++
        underWay.add(key)
        await fixture.pause(2)
        underWay.delete(key)
        return 'ack' as const
      }
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver, { maxInFlight: 8 })
      for (let n = 10; n < 40; n++) {
        for (const key of ['a', 'b']) {
          await member.pubsub.publish(publishOf(topic, `${key}${n}`, { metadata: metadataOf(key) }), plain)
        }
      }
      await fixture.until('all messages', () => inbox.messages.length >= 60)
      expect(overlaps, 'deliveries of one key at the same time').toBe(0)
      for (const key of ['a', 'b']) {
        const arrived = inbox.texts.filter((text) => text.startsWith(key))
        expect(arrived).toEqual(arrived.toSorted())
      }
    },
  },
  {
    name: 'a wildcard subscription receives what fits, with its own topic, and nothing else',
    needs: ['wildcards'],
    run: async (fixture) => {
      const [prefix, inbox] = [fixture.unique('topic'), new Inbox()]
      const style = fixture.options.wildcard ?? {
        pattern: (start: string) => `${start}*`,
        matching: (start: string) => `${start}-orders`,
        other: (start: string) => `x${start}-orders`,
      }
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(style.pattern(prefix), inbox.deliver)
      await publish(member.pubsub, style.other(prefix), 'other')
      await publish(member.pubsub, style.matching(prefix), 'fits')
      await fixture.until('the message', () => inbox.count('fits') > 0)
      await fixture.pause(quietMs)
      expect(inbox.texts).toEqual(['fits'])
      expect(inbox.messages[0]!.topic).toBe(style.matching(prefix))
    },
  },
  {
    name: 'without the wildcards capability a star is refused or just a character',
    without: ['wildcards'],
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      try {
        await member.subscribe(`${topic}*`, inbox.deliver)
      } catch {
        return
      }
      await publish(member.pubsub, `${topic}x`, 'not for a star')
      await fixture.pause(quietMs)
      expect(inbox.texts).toEqual([])
    },
  },
]
