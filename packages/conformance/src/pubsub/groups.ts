import { expect } from 'vitest'
import { Gate, Inbox, join, publish, quietMs, redeliveryMs, type PubSubCase } from './options.ts'

export const groupCases: readonly PubSubCase[] = [
  {
    name: 'two applications both receive every message',
    run: async (fixture) => {
      const topic = fixture.unique('topic')
      const inboxes = [new Inbox(), new Inbox()]
      const members = [await join(fixture, fixture.unique('app')), await join(fixture, fixture.unique('app'))]
      for (const [n, member] of members.entries()) await member.subscribe(topic, inboxes[n]!.deliver)
      const texts = Array.from({ length: 20 }, (_, n) => `${n}`)
      await publish(members[0]!.pubsub, topic, ...texts)
      await fixture.until('all messages', () => inboxes.every(({ messages }) => messages.length >= 20))
      for (const inbox of inboxes) expect(inbox.texts.toSorted()).toEqual(texts.toSorted())
    },
  },
  {
    name: 'two instances of one application share: each message goes to one of them',
    run: async (fixture) => {
      const [topic, app] = [fixture.unique('topic'), fixture.unique('app')]
      const inboxes = [new Inbox(), new Inbox()]
      const members = [await join(fixture, app), await join(fixture, app)]
      for (const [n, member] of members.entries()) await member.subscribe(topic, inboxes[n]!.deliver)
      const texts = Array.from({ length: 100 }, (_, n) => `${n}`)
      await publish(members[0]!.pubsub, topic, ...texts)
      const all = (): string[] => inboxes.flatMap((inbox) => inbox.texts)
      await fixture.until('all messages', () => all().length >= texts.length)
      await fixture.pause(quietMs)
      expect(all().toSorted()).toEqual(texts.toSorted())
    },
  },
  {
    name: 'an instance that is busy leaves work to the other',
    run: async (fixture) => {
      const [topic, app, gate] = [fixture.unique('topic'), fixture.unique('app'), new Gate()]
      const inboxes = [new Inbox(), new Inbox()]
      for (const inbox of inboxes) {
        inbox.answer = () => gate.opened.then(() => 'ack' as const)
        await (await join(fixture, app)).subscribe(topic, inbox.deliver, { maxInFlight: 1 })
      }
      const publisher = await join(fixture, fixture.unique('app'))
      await publish(publisher.pubsub, topic, '1', '2')
      try {
        await fixture.until('one message for each', () =>
          inboxes.every(({ messages }) => messages.length === 1),
        )
      } finally {
        gate.open()
      }
      expect(inboxes.flatMap((inbox) => inbox.texts).toSorted()).toEqual(['1', '2'])
    },
  },
  {
    name: 'no more than maxInFlight deliveries are under way',
    run: async (fixture) => {
      for (const maxInFlight of [1, 3]) {
        const [topic, inbox, gate] = [fixture.unique('topic'), new Inbox(), new Gate()]
        inbox.answer = () => gate.opened.then(() => 'ack' as const)
        const member = await join(fixture, fixture.unique('app'))
        await member.subscribe(topic, inbox.deliver, { maxInFlight })
        await publish(member.pubsub, topic, ...Array.from({ length: 20 }, (_, n) => `${n}`))
        try {
          await fixture.until('the first message', () => inbox.pending > 0)
          await fixture.pause(quietMs)
          expect(inbox.most).toBeLessThanOrEqual(maxInFlight)
        } finally {
          gate.open()
        }
        await fixture.until('all messages', () => inbox.messages.length >= 20)
        expect(inbox.most).toBeLessThanOrEqual(maxInFlight)
      }
    },
  },
  {
    name: 'what is nacked is delivered again until it is acked, and then no more',
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      inbox.answer = ({ data }) =>
        Buffer.from(data).toString() === 'bad' && inbox.count('bad') < 3 ? 'nack' : 'ack'
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      await publish(member.pubsub, topic, 'good', 'bad', 'fine')
      await fixture.until('two redeliveries', () => inbox.count('bad') >= 3, 2 * redeliveryMs(fixture))
      await fixture.until('the others', () => inbox.count('good') > 0 && inbox.count('fine') > 0)
      await fixture.pause(quietMs)
      expect([inbox.count('bad'), inbox.count('good'), inbox.count('fine')]).toEqual([3, 1, 1])
      const counts = inbox.messages
        .filter((_, n) => inbox.texts[n] === 'bad')
        .map((message) => message.deliveryCount)
      if (counts.some((count) => count !== undefined)) expect(counts).toEqual([1, 2, 3])
    },
  },
  {
    name: 'what an application nacks is not delivered again to another application',
    run: async (fixture) => {
      const [topic, nacking, other] = [fixture.unique('topic'), new Inbox(), new Inbox()]
      nacking.answer = () => (nacking.messages.length < 2 ? 'nack' : 'ack')
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, nacking.deliver)
      await (await join(fixture, fixture.unique('app'))).subscribe(topic, other.deliver)
      await publish(member.pubsub, topic, '1')
      await fixture.until('a redelivery', () => nacking.messages.length >= 2, redeliveryMs(fixture))
      await fixture.until('the other delivery', () => other.messages.length >= 1)
      await fixture.pause(quietMs)
      expect(other.texts).toEqual(['1'])
    },
  },
  {
    name: 'what an instance had not settled when it went is delivered to another of its application',
    run: async (fixture) => {
      const [topic, app, gone, left] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Inbox(),
        new Inbox(),
      ]
      gone.answer = () => new Promise(() => {})
      const leaving = await join(fixture, app)
      await leaving.subscribe(topic, gone.deliver)
      const publisher = await join(fixture, fixture.unique('app'))
      await publish(publisher.pubsub, topic, '1')
      await fixture.until('the first delivery', () => gone.messages.length > 0)
      const staying = await join(fixture, app)
      await staying.subscribe(topic, left.deliver)
      await fixture.within('the instance to go', leaving.leave())
      await fixture.until('the redelivery', () => left.count('1') > 0, redeliveryMs(fixture))
      expect(left.texts).toEqual(['1'])
    },
  },
  {
    name: 'what an instance had not settled when it died is delivered to another of its application',
    unless: (options) => (options.kill === undefined ? 'no way to kill an instance is given' : undefined),
    run: async (fixture) => {
      const [topic, app, dead, left] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Inbox(),
        new Inbox(),
      ]
      dead.answer = () => new Promise(() => {})
      const dying = await join(fixture, app)
      await dying.subscribe(topic, dead.deliver)
      const publisher = await join(fixture, fixture.unique('app'))
      await publish(publisher.pubsub, topic, '1')
      await fixture.until('the first delivery', () => dead.messages.length > 0)
      await fixture.options.kill!(dying.pubsub)
      await (await join(fixture, app)).subscribe(topic, left.deliver)
      await fixture.until('the redelivery', () => left.count('1') > 0, redeliveryMs(fixture))
    },
  },
  {
    name: 'a delivery that outlasts the lease is not handed to another',
    unless: (options) => (options.leaseMs === undefined ? 'no lease is given' : undefined),
    run: async (fixture) => {
      const [topic, app, gate] = [fixture.unique('topic'), fixture.unique('app'), new Gate()]
      const inboxes = [new Inbox(), new Inbox()]
      let publisher
      for (const inbox of inboxes) {
        inbox.answer = () => gate.opened.then(() => 'ack' as const)
        publisher = await join(fixture, app)
        await publisher.subscribe(topic, inbox.deliver)
      }
      await publish(publisher!.pubsub, topic, '1')
      await fixture.until('the delivery', () => inboxes.some(({ pending }) => pending > 0))
      await fixture.pause(3 * fixture.options.leaseMs!)
      gate.open()
      await fixture.pause(2 * fixture.options.leaseMs!)
      expect(inboxes.flatMap((inbox) => inbox.texts)).toEqual(['1'])
    },
  },
  {
    name: 'what is published while an application is away is delivered when it is back',
    unless: (options) => (options.durable === true ? undefined : 'groups of this broker are not durable'),
    run: async (fixture) => {
      const [topic, app, before, after] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Inbox(),
        new Inbox(),
      ]
      const first = await join(fixture, app)
      await first.subscribe(topic, before.deliver)
      const publisher = await join(fixture, fixture.unique('app'))
      await publish(publisher.pubsub, topic, 'before')
      await fixture.until('the first message', () => before.count('before') > 0)
      await first.leave()
      await publish(publisher.pubsub, topic, 'away 1', 'away 2')
      await (await join(fixture, app)).subscribe(topic, after.deliver)
      await fixture.until('what was missed', () => after.messages.length >= 2, redeliveryMs(fixture))
      expect(after.texts.toSorted().filter((text) => text !== 'before')).toEqual(['away 1', 'away 2'])
    },
  },
]
