import { describe, expect, it } from 'vitest'
import { recordingLogger, settle, virtualClock } from '@outrigger/testkit'
import { createLifecycle, type Part } from './lifecycle.ts'

function setup(parts: readonly Part[], stopTimeoutMs = 1000) {
  const clock = virtualClock()
  const logger = recordingLogger()
  return { clock, logger, lifecycle: createLifecycle({ parts, clock, logger, stopTimeoutMs }) }
}

/** Parts that write down what happens to them. */
function recorded(names: readonly string[], overrides: Record<string, Partial<Part>> = {}) {
  const events: string[] = []
  const parts = names.map((name): Part => ({
    name,
    start: async () => void events.push(`start ${name}`),
    stop: async () => void events.push(`stop ${name}`),
    ...overrides[name],
  }))
  return { events, parts }
}

const hang = (seen: string[], what: string) => (signal: AbortSignal) =>
  new Promise<void>(() => signal.addEventListener('abort', () => seen.push(what)))

describe('a lifecycle', () => {
  it('starts in order, one after the other, and stops in reverse', async () => {
    const { events, parts } = recorded(['a', 'b', 'c'], {
      b: {
        start: async () => {
          await settle()
          events.push('start b')
        },
      },
    })
    const { lifecycle } = setup([...parts, { name: 'nothing to do' }])
    expect(lifecycle.state).toBe('new')
    await lifecycle.start()
    expect(lifecycle.state).toBe('running')
    expect(await lifecycle.stop()).toBe(true)
    expect(lifecycle.state).toBe('stopped')
    expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
  })

  it('stops once, however often it is told to', async () => {
    const { events, parts } = recorded(['a'])
    const { lifecycle } = setup(parts)
    await lifecycle.start()
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    await lifecycle.stop()
    expect(events).toEqual(['start a', 'stop a'])
    await expect(lifecycle.start()).rejects.toThrow('it cannot be started: it is stopped')
  })

  it('that was not started has nothing to stop', async () => {
    const { events, parts } = recorded(['a'])
    expect(await setup(parts).lifecycle.stop()).toBe(true)
    expect(events).toEqual([])
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('port taken'))],
    [
      'throws',
      () => {
        throw new Error('port taken')
      },
    ],
  ])('whose part %s stops what was started and says which', async (_, start) => {
    const { events, parts } = recorded(['a', 'b', 'c'], { b: { start } })
    const { lifecycle } = setup(parts)
    const error: Error = await lifecycle.start().then(
      () => {
        throw new Error('it started')
      },
      (reason) => reason,
    )
    expect(error.message).toBe('b could not be started: port taken')
    expect((error.cause as Error).message).toBe('port taken')
    expect(events).toEqual(['start a', 'stop b', 'stop a'])
    expect(lifecycle.state).toBe('stopped')
  })

  it('gives a part only so long to start', async () => {
    const { events, parts } = recorded(['a', 'b'])
    const { lifecycle, clock } = setup([
      parts[0]!,
      { ...parts[1]!, start: hang(events, 'aborted'), startTimeoutMs: 500 },
    ])
    const failed = expect(lifecycle.start()).rejects.toThrow(
      'b could not be started: it was not ready after 500 ms',
    )
    await clock.advance(499)
    expect(events).toEqual(['start a'])
    await clock.advance(1)
    await failed
    expect(events).toEqual(['start a', 'aborted', 'stop b', 'stop a'])
  })

  it('can be stopped while it starts', async () => {
    const { events, parts } = recorded(['a', 'b', 'c'])
    const { lifecycle } = setup([parts[0]!, { ...parts[1]!, start: hang(events, 'aborted') }, parts[2]!])
    const failed = expect(lifecycle.start()).rejects.toThrow(
      'b could not be started: the process is stopping',
    )
    await settle()
    expect(await lifecycle.stop()).toBe(true)
    await failed
    expect(events).toEqual(['start a', 'aborted', 'stop b', 'stop a'])
  })

  it('logs a part that fails to stop and stops the rest', async () => {
    const { events, parts } = recorded(['a', 'b', 'c'], {
      b: { stop: () => Promise.reject(new Error('stuck')) },
    })
    const { lifecycle, logger } = setup(parts)
    await lifecycle.start()
    expect(await lifecycle.stop()).toBe(false)
    expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop a'])
    expect(logger.records).toMatchObject([
      { level: 'error', message: 'Stopping b failed', fields: { error: { message: 'stuck' } } },
    ])
  })

  it('gives each part its own time to stop, and all together theirs', async () => {
    const { events, parts } = recorded(['a', 'b', 'c'])
    const { lifecycle, clock, logger } = setup([
      { ...parts[0]!, stop: hang(events, 'a aborted') },
      { ...parts[1]!, stop: hang(events, 'b aborted'), stopTimeoutMs: 5000 },
      { ...parts[2]!, stop: hang(events, 'c aborted'), stopTimeoutMs: 300 },
    ])
    await lifecycle.start()
    events.length = 0
    const stopped = lifecycle.stop()
    await clock.advance(300)
    expect(events).toEqual(['c aborted'])
    await clock.advance(699)
    expect(events).toEqual(['c aborted'])
    await clock.advance(1)
    expect(await stopped).toBe(false)
    expect(events).toEqual(['c aborted', 'b aborted', 'a aborted'])
    expect(logger.records.map((record) => (record.fields['error'] as Error).message)).toEqual([
      'it did not stop within 300 ms',
      'it did not stop within 700 ms',
      'it did not stop within 0 ms',
    ])
  })

  it('leaves no timer behind', async () => {
    const { parts } = recorded(['a', 'b'])
    const { lifecycle, clock } = setup(
      parts.map((part) => ({ ...part, startTimeoutMs: 100, stopTimeoutMs: 100 })),
    )
    await lifecycle.start()
    await lifecycle.stop()
    expect(clock.pending).toBe(0)
  })
})
