import { expect } from 'vitest'
import { expectCode, plain } from '../checks.ts'
import { announce, find, finds, type NameCase, observer, registration } from './helpers.ts'

export const registering: readonly NameCase[] = [
  {
    name: 'what is registered is found by others with its address',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const own = registration(fixture, appId)
      await announce(fixture, [own])
      await finds(fixture, other, appId, [own])
      await finds(fixture, fixture.instance, appId, [own])
    },
  },
  {
    name: 'an IPv6 address comes back without brackets',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const own = registration(fixture, appId, { host: '2001:db8::7' })
      await announce(fixture, [own])
      await finds(fixture, other, appId, [own])
    },
  },
  {
    name: 'all instances of one id are found, each once',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const own = [1, 2, 3, 4, 5].map(() => registration(fixture, appId))
      await announce(fixture, own)
      await finds(fixture, other, appId, own)
    },
  },
  {
    name: 'ids that begin or end alike are not mixed up',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const own = [appId, `${appId}-2`, `x-${appId}`, `x${appId}`].map((id) => registration(fixture, id))
      await announce(fixture, own)
      for (const each of own) await finds(fixture, other, each.appId, [each])
    },
  },
  {
    name: 'the same id in two namespaces is two applications',
    needs: ['register'],
    unless: (options) => options.ignoresNamespace,
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const one = registration(fixture, appId, { namespace: 'one' })
      const two = registration(fixture, appId, { namespace: 'two' })
      await announce(fixture, [one, two])
      for (const own of [one, two]) {
        const wanted = `["127.0.0.1 ${own.port}"]`
        await fixture.until(
          `to find ${wanted} in ${own.namespace}`,
          async () => JSON.stringify(await find(fixture, other, appId, own.namespace)) === wanted,
        )
      }
      expect(await find(fixture, other, appId, 'three')).toEqual([])
    },
  },
  {
    name: 'an unhealthy instance is not found, and is again when it is healthy',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const [one, two] = [registration(fixture, appId), registration(fixture, appId)]
      const [first] = await announce(fixture, [one, two])
      await finds(fixture, other, appId, [one, two])
      await first!.setHealthy(true, plain)
      await finds(fixture, other, appId, [one, two])
      await first!.setHealthy(false, plain)
      await first!.setHealthy(false, plain)
      await finds(fixture, other, appId, [two])
      await first!.setHealthy(true, plain)
      await finds(fixture, other, appId, [one, two])
    },
  },
  {
    name: 'changes of health that follow each other at once end as the last one says',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const [one, two] = [registration(fixture, appId), registration(fixture, appId)]
      const [first, second] = await announce(fixture, [one, two])
      const changes = [false, true, false, true, false].flatMap((healthy) => [
        first!.setHealthy(healthy, plain),
        second!.setHealthy(!healthy, plain),
      ])
      await fixture.within('the changes', Promise.all(changes))
      await finds(fixture, other, appId, [two])
    },
  },
  {
    name: 'a registration that is closed is gone, healthy or not, and the others stay',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const own = [1, 2, 3].map(() => registration(fixture, appId))
      const [first, second] = await announce(fixture, own)
      await finds(fixture, other, appId, own)
      await second!.setHealthy(false, plain)
      await fixture.within('close', Promise.all([first!.close(), second!.close()]))
      await fixture.within('a second close', first!.close())
      await finds(fixture, other, appId, [own[2]!])
      await expectCode(first!.setHealthy(true, plain), 'CLOSED')
      await finds(fixture, fixture.instance, appId, [own[2]!])
    },
  },
  {
    name: 'an instance that comes back on its address is found once',
    needs: ['register'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const own = registration(fixture, appId)
      const [first] = await announce(fixture, [own])
      await first!.close()
      await announce(fixture, [{ ...own, instanceId: crypto.randomUUID() }])
      await finds(fixture, other, appId, [own])
    },
  },
  {
    name: 'closing the resolver takes out what it registered',
    needs: ['register'],
    unless: (options) => (options.withinInstance === true ? 'nobody else could see it' : undefined),
    run: async (fixture) => {
      const [other, leaving] = [await fixture.create(), await fixture.create()]
      const appId = fixture.unique('app')
      const [stays, goes] = [registration(fixture, appId), registration(fixture, appId)]
      await announce(fixture, [stays])
      await announce(fixture, [goes], leaving)
      await finds(fixture, other, appId, [stays, goes])
      await fixture.within('close', leaving.close())
      await finds(fixture, other, appId, [stays])
    },
  },
]
