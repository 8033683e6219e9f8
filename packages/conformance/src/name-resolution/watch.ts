import type { Instance, InstanceWatch, NameResolver } from '@outrigger/spec'
import { expect } from 'vitest'
import { plain } from '../checks.ts'
import { addresses, announce, type NameCase, type NameFixture, observer, registration } from './helpers.ts'

/** How long nothing must happen. */
const quietMs = 300

interface Watched {
  /** Every list that was told. */
  readonly told: string[][]
  readonly watch: InstanceWatch
  /** Waits until just these are the last that were told. */
  until(wanted: readonly Instance[]): Promise<void>
}

async function watchIt(fixture: NameFixture, resolver: NameResolver, appId: string): Promise<Watched> {
  const told: string[][] = []
  const namespace = fixture.options.namespace ?? 'default'
  const watch = await resolver.watch!(
    { appId, namespace, port: 50_002, metadata: {} },
    (instances) => void told.push(addresses(instances)),
    plain,
  )
  const until = (wanted: readonly Instance[]): Promise<void> => {
    const expected = JSON.stringify(addresses(wanted))
    return fixture.until(`to be told ${expected}`, () => JSON.stringify(told.at(-1)) === expected)
  }
  return { told, watch, until }
}

export const watching: readonly NameCase[] = [
  {
    name: 'a watch tells what there is before it resolves',
    needs: ['register', 'watch'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const nobody = await watchIt(fixture, other, appId)
      expect(nobody.told[0]).toEqual([])
      const own = registration(fixture, appId)
      await announce(fixture, [own])
      await nobody.until([own])
      expect((await watchIt(fixture, other, appId)).told[0]).toEqual(addresses([own]))
    },
  },
  {
    name: 'a watch tells of instances that come, fall ill, heal and go',
    needs: ['register', 'watch'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const watched = await watchIt(fixture, other, appId)
      const [one, two] = [registration(fixture, appId), registration(fixture, appId)]
      const [first] = await announce(fixture, [one])
      await watched.until([one])
      const [second] = await announce(fixture, [two])
      await watched.until([one, two])
      await first!.setHealthy(false, plain)
      await watched.until([two])
      await first!.setHealthy(true, plain)
      await watched.until([one, two])
      await second!.close()
      await watched.until([one])
      await first!.close()
      await watched.until([])
    },
  },
  {
    name: 'a watch tells only what is different, and of its own id only',
    needs: ['register', 'watch'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const watched = await watchIt(fixture, other, appId)
      const own = registration(fixture, appId)
      await announce(fixture, [own])
      await watched.until([own])
      const stranger = registration(fixture, `${appId}-2`)
      const [gone] = await announce(fixture, [stranger])
      await gone!.close()
      await fixture.pause(quietMs)
      expect(watched.told).toEqual([[], addresses([own])])
    },
  },
  {
    name: 'after its close a watch is silent, others go on, and ended tells of no error',
    needs: ['register', 'watch'],
    run: async (fixture) => {
      const other = await observer(fixture)
      const appId = fixture.unique('app')
      const closed = await watchIt(fixture, other, appId)
      const open = await watchIt(fixture, other, appId)
      await fixture.within('close', closed.watch.close())
      await fixture.within('a second close', closed.watch.close())
      expect(await fixture.within('the end', closed.watch.ended)).toBeUndefined()
      const own = registration(fixture, appId)
      await announce(fixture, [own])
      await open.until([own])
      await fixture.pause(quietMs)
      expect(closed.told).toEqual([[]])
    },
  },
  {
    name: 'closing the resolver ends its watches',
    needs: ['register', 'watch'],
    run: async (fixture) => {
      const resolver = await fixture.create()
      const { watch } = await watchIt(fixture, resolver, fixture.unique('app'))
      await fixture.within('close', resolver.close())
      expect(await fixture.within('the end', watch.ended)).toBeUndefined()
    },
  },
]
