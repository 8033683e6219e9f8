import { describe, expect, it } from 'vitest'
import { createHealth } from './health.ts'

describe('health', () => {
  it('is ready when every target is', () => {
    const health = createHealth()
    expect(health.isReady()).toBe(true)
    const api = health.target('api')
    const app = health.target('app', 'waiting for its port')
    expect([health.isReady(), health.unready()]).toEqual([false, ['api', 'app']])
    api.ready()
    expect(health.reasons()).toEqual([{ name: 'app', reason: 'waiting for its port' }])
    app.ready()
    expect([health.isReady(), health.unready()]).toEqual([true, []])
    api.notReady('draining')
    expect(health.reasons()).toEqual([{ name: 'api', reason: 'draining' }])
    api.remove()
    api.notReady('has no effect any more')
    expect(health.isReady()).toBe(true)
  })

  it('has each name once', () => {
    const health = createHealth()
    health.target('api')
    expect(() => health.target('api')).toThrow('the health target api is registered already')
  })

  it('tells listeners of changes only', () => {
    const health = createHealth()
    const seen: boolean[] = []
    const off = health.onChange((ready) => seen.push(ready))
    const one = health.target('one')
    const two = health.target('two')
    one.ready()
    two.ready()
    two.ready()
    two.notReady('x')
    expect(seen).toEqual([false, true, false])
    off()
    two.ready()
    expect(seen).toHaveLength(3)
  })

  it('can be waited for', async () => {
    const health = createHealth()
    await health.whenReady()
    const target = health.target('one')
    let ready = false
    const waiting = health.whenReady().then(() => (ready = true))
    await Promise.resolve()
    expect(ready).toBe(false)
    target.ready()
    await waiting
    target.notReady('x')
    const stop = new AbortController()
    const aborted = expect(health.whenReady(stop.signal)).rejects.toThrow('enough')
    stop.abort(new Error('enough'))
    await aborted
    await expect(health.whenReady(stop.signal)).rejects.toThrow('enough')
  })
})
