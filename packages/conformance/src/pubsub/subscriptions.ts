import type { DeliverBulk, IncomingMessage } from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { Gate, Inbox, join, publish, publishOf, quietMs, redeliveryMs, type PubSubCase } from './options.ts'

export const subscriptionCases: readonly PubSubCase[] = [
  {
    name: 'close awaits the deliveries under way, and what they acked does not come again',
    run: async (fixture) => {
      const [topic, app, inbox, later, gate] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Inbox(),
        new Inbox(),
        new Gate(),
      ]
      inbox.answer = () => gate.opened.then(() => 'ack' as const)
      const member = await join(fixture, app)
      const subscription = await member.subscribe(topic, inbox.deliver)
      await publish(member.pubsub, topic, '1')
      await fixture.until('the delivery', () => inbox.pending > 0)
      let closed = false
      const closing = subscription.close().then(() => {
        closed = true
      })
      await fixture.pause(quietMs)
      expect(closed, 'close resolved before the delivery was settled').toBe(false)
      gate.open()
      await fixture.within('close', closing)
      await member.subscribe(topic, later.deliver)
      await publish(member.pubsub, topic, '2')
      await fixture.until('the next message', () => later.count('2') > 0, redeliveryMs(fixture))
      await fixture.pause(quietMs)
      expect(later.texts).toEqual(['2'])
    },
  },
  {
    name: 'what is unsettled when the signal of close aborts is delivered again',
    run: async (fixture) => {
      const [topic, app, inbox, later] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Inbox(),
        new Inbox(),
      ]
      inbox.answer = () => new Promise(() => {})
      const member = await join(fixture, app)
      const subscription = await member.subscribe(topic, inbox.deliver)
      await publish(member.pubsub, topic, '1')
      await fixture.until('the delivery', () => inbox.pending > 0)
      await member.subscribe(topic, later.deliver)
      const controller = new AbortController()
      const closing = subscription.close(controller.signal)
      controller.abort()
      await fixture.within('close', closing)
      await fixture.until('the redelivery', () => later.count('1') > 0, redeliveryMs(fixture))
    },
  },
  {
    name: 'a settlement that comes after the signal of close has aborted changes nothing',
    run: async (fixture) => {
      const [topic, app, inbox, later, gate] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Inbox(),
        new Inbox(),
        new Gate(),
      ]
      inbox.answer = () => gate.opened.then(() => 'ack' as const)
      const member = await join(fixture, app)
      const subscription = await member.subscribe(topic, inbox.deliver)
      await publish(member.pubsub, topic, '1')
      await fixture.until('the delivery', () => inbox.pending > 0)
      await fixture.within('close', subscription.close(AbortSignal.abort()))
      gate.open()
      await fixture.pause(quietMs)
      await member.subscribe(topic, later.deliver)
      await publish(member.pubsub, topic, '2')
      await fixture.until('the next message', () => later.count('2') > 0, redeliveryMs(fixture))
      if (fixture.options.durable === true) {
        await fixture.until('the redelivery', () => later.count('1') > 0, redeliveryMs(fixture))
      }
    },
  },
  {
    name: 'nothing is delivered after close, other subscriptions go on, and ended tells of no error',
    run: async (fixture) => {
      const [topic, other, inbox, otherInbox] = [
        fixture.unique('topic'),
        fixture.unique('topic'),
        new Inbox(),
        new Inbox(),
      ]
      const member = await join(fixture, fixture.unique('app'))
      const subscription = await member.subscribe(topic, inbox.deliver)
      await member.subscribe(other, otherInbox.deliver)
      await fixture.within('two closes', Promise.all([subscription.close(), subscription.close()]))
      await fixture.within('a third close', subscription.close())
      expect(await fixture.within('the end', subscription.ended)).toBeUndefined()
      await publish(member.pubsub, topic, '1')
      await publish(member.pubsub, other, '2')
      await fixture.until('the other message', () => otherInbox.count('2') > 0)
      await fixture.pause(quietMs)
      expect(inbox.texts).toEqual([])
    },
  },
  {
    name: 'a subscription can be made again after it was closed',
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      for (const text of ['1', '2', '3']) {
        const subscription = await member.subscribe(topic, inbox.deliver)
        await publish(member.pubsub, topic, text)
        await fixture.until('the message', () => inbox.count(text) > 0, redeliveryMs(fixture))
        await subscription.close()
      }
      expect(inbox.texts).toEqual(['1', '2', '3'])
    },
  },
  {
    name: 'closing the instance ends its subscriptions, even while a delivery hangs',
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      inbox.answer = () => new Promise(() => {})
      const pubsub = await fixture.create({ appId: fixture.unique('app') })
      const subscription = await pubsub.subscribe({ topic, metadata: {} }, inbox.deliver, plain)
      await publish(pubsub, topic, '1')
      await fixture.until('the delivery', () => inbox.pending > 0)
      await fixture.within('close', pubsub.close())
      expect(await fixture.within('the end', subscription.ended)).toBeUndefined()
      await fixture.within('close of a subscription that is over', subscription.close())
    },
  },
  {
    name: 'a paused subscription receives nothing until it is resumed',
    needs: ['pause'],
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      const subscription = await member.subscribe(topic, inbox.deliver)
      await publish(member.pubsub, topic, '1')
      await fixture.until('the first message', () => inbox.count('1') > 0)
      subscription.pause!()
      subscription.pause!()
      await publish(member.pubsub, topic, '2')
      await fixture.pause(quietMs)
      expect(inbox.texts).toEqual(['1'])
      subscription.resume!()
      await fixture.until('the second message', () => inbox.count('2') > 0)
      expect(inbox.texts).toEqual(['1', '2'])
      subscription.pause!()
      await fixture.within('close of a paused subscription', subscription.close())
    },
  },
  {
    name: 'pause and resume exist exactly where the capability is declared',
    run: async (fixture) => {
      const member = await join(fixture, fixture.unique('app'))
      const subscription = await member.subscribe(fixture.unique('topic'), new Inbox().deliver)
      const wanted = fixture.instance.capabilities.has('pause') ? 'function' : 'undefined'
      expect([typeof subscription.pause, typeof subscription.resume]).toEqual([wanted, wanted])
      await subscription.close()
    },
  },
  {
    name: 'what is older than its TTL is dropped by the broker',
    needs: ['ttl'],
    run: async (fixture) => {
      const [topic, app, gate, before, after] = [
        fixture.unique('topic'),
        fixture.unique('app'),
        new Gate(),
        new Inbox(),
        new Inbox(),
      ]
      before.answer = () => gate.opened.then(() => 'ack' as const)
      const durable = fixture.options.durable === true
      const first = await join(fixture, app)
      await first.subscribe(topic, before.deliver, { maxInFlight: 1 })
      const publisher = await join(fixture, fixture.unique('app'))
      await publish(publisher.pubsub, topic, 'first')
      await fixture.until('the first message', () => before.pending > 0)
      // Messages become old either while the application is away, or while it is busy.
      if (durable) {
        gate.open()
        await fixture.until('the first settlement', () => before.pending === 0)
        await fixture.pause(quietMs)
        await first.leave()
      }
      await publisher.pubsub.publish(publishOf(topic, 'short', { ttlSeconds: 1 }), plain)
      await publisher.pubsub.publish(publishOf(topic, 'long', { ttlSeconds: 600 }), plain)
      await publisher.pubsub.publish(publishOf(topic, 'for ever'), plain)
      await fixture.pause(2500)
      gate.open()
      if (durable) await (await join(fixture, app)).subscribe(topic, after.deliver)
      const inbox = durable ? after : before
      await fixture.until(
        'the rest',
        () => inbox.count('long') > 0 && inbox.count('for ever') > 0,
        redeliveryMs(fixture),
      )
      await fixture.pause(quietMs)
      expect(inbox.count('short')).toBe(0)
    },
  },
  {
    name: 'a message is delivered within its TTL',
    needs: ['ttl'],
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      await member.pubsub.publish(publishOf(topic, '1', { ttlSeconds: 60 }), plain)
      await fixture.until('the message', () => inbox.count('1') > 0)
    },
  },
  {
    name: 'bulkSubscribe hands over no more than asked for, and settles each message by itself',
    needs: ['bulkSubscribe'],
    run: async (fixture) => {
      const [topic, gate, batches] = [
        fixture.unique('topic'),
        new Gate(),
        [] as (readonly IncomingMessage[])[],
      ]
      const textOf = ({ data }: IncomingMessage): string => Buffer.from(data).toString()
      const sent = Array.from({ length: 20 }, (_, n) => `${n}`)
      let [nacked, pending, most] = ['', 0, 0]
      const deliver: DeliverBulk = async (messages) => {
        batches.push(messages)
        most = Math.max(most, (pending += messages.length))
        // One message of a batch of several, so that its neighbours show whether they are settled apart.
        if (nacked === '' && (messages.length > 1 || batches.flat().length >= sent.length)) {
          nacked = textOf(messages[0]!)
          await gate.opened
          pending -= messages.length
          return messages.map((_, n) => (n === 0 ? 'nack' : 'ack'))
        }
        await gate.opened
        pending -= messages.length
        return messages.map(() => 'ack')
      }
      const member = await join(fixture, fixture.unique('app'))
      const subscription = await member.pubsub.bulkSubscribe!(
        { topic, metadata: member.metadata, maxMessages: 5, maxWaitMs: 20, maxInFlight: 10 },
        deliver,
        plain,
      )
      // Until the gate opens some are under way, and the others gather.
      await publish(member.pubsub, topic, ...sent)
      await fixture.until('the first batch', () => batches.length > 0)
      gate.open()
      await fixture.until('the redelivery', () => batches.flat().length > sent.length, redeliveryMs(fixture))
      await fixture.pause(quietMs)
      expect(batches.flat().map(textOf).toSorted()).toEqual([...sent, nacked].toSorted())
      expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(5)
      expect(Math.min(...batches.map(({ length }) => length))).toBeGreaterThan(0)
      expect(most).toBeLessThanOrEqual(10)
      await fixture.within('close', subscription.close())
    },
  },
  {
    name: 'a signal that was aborted cancels publish and subscribe',
    run: async (fixture) => {
      const [topic, inbox] = [fixture.unique('topic'), new Inbox()]
      const member = await join(fixture, fixture.unique('app'))
      await member.subscribe(topic, inbox.deliver)
      await expectCode(member.pubsub.publish(publishOf(topic, 'cancelled'), aborted()), 'CANCELLED')
      const { metadata } = member
      await expectCode(
        member.pubsub.subscribe({ topic, metadata }, new Inbox().deliver, aborted()),
        'CANCELLED',
      )
      await publish(member.pubsub, topic, '1')
      await fixture.until('the message', () => inbox.count('1') > 0)
      expect(inbox.texts).toEqual(['1'])
    },
  },
  {
    name: 'the signal of subscribe does not end the subscription',
    run: async (fixture) => {
      const [topic, inbox, controller] = [fixture.unique('topic'), new Inbox(), new AbortController()]
      const member = await join(fixture, fixture.unique('app'))
      const request = { topic, metadata: member.metadata }
      await member.pubsub.subscribe(request, inbox.deliver, { signal: controller.signal })
      controller.abort()
      await publish(member.pubsub, topic, '1')
      await fixture.until('the message', () => inbox.count('1') > 0)
    },
  },
  {
    name: 'after close publish and subscribe are refused as CLOSED',
    run: async (fixture) => {
      const pubsub = await fixture.create()
      const topic = fixture.unique('topic')
      await pubsub.close()
      await expectCode(pubsub.publish(publishOf(topic, '1'), plain), 'CLOSED')
      await expectCode(pubsub.subscribe({ topic, metadata: {} }, new Inbox().deliver, plain), 'CLOSED')
      const entries = [{ entryId: '1', data: new Uint8Array(), metadata: {} }]
      if (pubsub.bulkPublish)
        await expectCode(pubsub.bulkPublish({ topic, entries, metadata: {} }, plain), 'CLOSED')
    },
  },
]
