import type { BindingEvent, BindingReader, BindingReply } from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import type { BindingCase, BindingFixture, BindingSuiteOptions } from './options.ts'

const quietMs = 250
const needsTrigger = (options: BindingSuiteOptions): string | undefined =>
  options.input === undefined ? 'the options give no way to trigger an event' : undefined

async function reading(
  fixture: BindingFixture,
  answer: (event: BindingEvent) => BindingReply | Promise<BindingReply> = () => ({ settlement: 'ack' }),
): Promise<{ events: BindingEvent[]; reader: BindingReader; close: () => Promise<void> }> {
  const events: BindingEvent[] = []
  const instance = await fixture.create()
  const reader = await instance.read!(async (event) => {
    events.push(event)
    return answer(event)
  }, plain)
  return { events, reader, close: () => instance.close() }
}

export const inputCases: readonly BindingCase[] = [
  {
    name: 'what happens is told as an event',
    needs: ['input'],
    run: async (fixture) => {
      expect(fixture.options.input, 'the options say how to trigger an event').toBeDefined()
      const { events, reader } = await reading(fixture)
      await fixture.options.input!.trigger()
      await fixture.until('the event', () => events.length > 0)
      expect(events[0]!.data).toBeInstanceOf(Uint8Array)
      fixture.options.input!.check?.(events[0]!)
      await fixture.within('close', reader.close())
    },
  },
  {
    name: 'what is nacked comes again where the source can do that',
    needs: ['input'],
    unless: (options) => (options.input?.redelivers === true ? undefined : 'the source does not redeliver'),
    run: async (fixture) => {
      let first = true
      const { events, reader } = await reading(fixture, () => {
        const settlement = first ? 'nack' : 'ack'
        first = false
        return { settlement }
      })
      await fixture.options.input!.trigger()
      await fixture.until('the event again', () => events.length >= 2)
      await fixture.within('close', reader.close())
    },
  },
  {
    name: 'closing the reader awaits deliveries, ends it without an error and stops events',
    needs: ['input'],
    unless: needsTrigger,
    run: async (fixture) => {
      let settle: ((reply: BindingReply) => void) | undefined
      const pending = new Promise<BindingReply>((resolve) => {
        settle = resolve
      })
      const { events, reader } = await reading(fixture, () => pending)
      await fixture.options.input!.trigger()
      await fixture.until('the event', () => events.length > 0)
      let closed = false
      const closing = reader.close().then(() => {
        closed = true
      })
      await fixture.pause(quietMs)
      expect(closed, 'close resolved before the delivery was settled').toBe(false)
      settle!({ settlement: 'ack' })
      await fixture.within('close', closing)
      await fixture.within('a second close', reader.close())
      expect(await fixture.within('the end', reader.ended)).toBeUndefined()
      const before = events.length
      await fixture.options.input!.trigger()
      await fixture.pause(quietMs)
      expect(events.length).toBe(before)
    },
  },
  {
    name: 'a reader is closed at once when the signal of close has aborted',
    needs: ['input'],
    unless: needsTrigger,
    run: async (fixture) => {
      const { events, reader } = await reading(fixture, () => new Promise(() => {}))
      await fixture.options.input!.trigger()
      await fixture.until('the event', () => events.length > 0)
      await fixture.within('close', reader.close(AbortSignal.abort()))
    },
  },
  {
    name: 'closing the instance ends its reader',
    needs: ['input'],
    run: async (fixture) => {
      const { reader, close } = await reading(fixture)
      await fixture.within('close', close())
      expect(await fixture.within('the end', reader.ended)).toBeUndefined()
      await fixture.within('close of a reader that is over', reader.close())
    },
  },
  {
    name: 'reading is refused after close and when it was cancelled',
    needs: ['input'],
    run: async (fixture) => {
      const instance = await fixture.create()
      await expectCode(
        instance.read!(() => Promise.resolve({ settlement: 'ack' }), aborted()),
        'CANCELLED',
      )
      await instance.close()
      await expectCode(
        instance.read!(() => Promise.resolve({ settlement: 'ack' }), plain),
        'CLOSED',
      )
    },
  },
]
