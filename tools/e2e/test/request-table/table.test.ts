import { describeWithService, say } from '@outrigger/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problemOf } from './compare.ts'
import type { Driver, DriverOptions, Row } from './operations.ts'
import { World, type Places } from './places.ts'
import { problemOfRaw, rawRows, type RawRow } from './raw-rows.ts'
import { rows, stateRows } from './rows.ts'
import { neverCalled, neverRequested } from './surface.ts'

const genuine = process.env['OUTRIGGER_GENUINE_DAPRD']
const stores = ['memory', 'sqlite', 'redis'] as const

type Judge = (name: string, face: Driver['face'], problem: string | undefined, may: boolean) => void

describeWithService('redis', 'the request table', (get) => {
  let world: World

  beforeAll(async () => {
    await say(get(), 'SET colour red')
    await say(get(), 'SET size large')
    world = await World.start(get(), genuine)
  }, 180_000)
  afterAll(() => world.end())

  /** Runs every row; those of places that a subject does not have are left out. */
  function runTable(
    face: Driver['face'],
    places: () => Places,
    judge: Judge,
    { lenient = false, ...options }: DriverOptions & { readonly lenient?: boolean } = {},
  ): void {
    let driverAt: ReturnType<World['drivers']>
    beforeAll(() => {
      driverAt = world.drivers(face, places(), options)
    })
    const run = async (row: Row): Promise<void> => {
      const driver = driverAt(row.at ?? 'full')
      if (driver === undefined) return
      const { differs } = row
      const may = differs !== undefined && (differs.on ?? face) === face
      judge(row.name, face, await problemOf(row, driver, lenient), may)
    }
    const caller = `${face}${options.otherNames === true ? '-other' : ''}`.toLowerCase()
    describe.each(stores)('state: %s', (store) => {
      test.each(stateRows(store, caller))('$name', run)
    })
    test.each(rows)('$name', run)
  }

  function runRaw(places: () => Places, judge: Judge): void {
    test.each(rawRows)('$name', async (row: RawRow) => {
      const problem = await problemOfRaw(row, places()[row.at ?? 'full']!.url!)
      judge(row.name, 'HTTP', problem, row.differs !== undefined)
    })
  }

  describe('ours', () => {
    const called = new Set<string>()
    const judge: Judge = (_name, _face, problem) => expect(problem).toBeUndefined()
    const ours = (): Places => world.ours

    describe('over HTTP', () => {
      runTable('HTTP', ours, judge, { called })
      runRaw(ours, judge)
    })
    describe('over HTTP, by other methods and versions', () =>
      runTable('HTTP', ours, judge, { called, otherNames: true }))
    describe('over gRPC', () => runTable('gRPC', ours, judge, { called }))
    describe('over gRPC, by other names', () => runTable('gRPC', ours, judge, { called, otherNames: true }))
    describe('in-process', () => runTable('in-process', () => world.inside, judge))

    test('every route of the HTTP API of these blocks was requested', () => {
      for (const { method, path } of rawRows) called.add(`${method} ${path}`)
      expect(neverRequested(called)).toEqual([])
    })

    test('every method of the gRPC API of these blocks was called', () => {
      expect(neverCalled(called)).toEqual([])
    })
  })

  describe.skipIf(genuine === undefined)('a genuine daprd (OUTRIGGER_GENUINE_DAPRD)', () => {
    const differences: string[] = []
    const judge: Judge = (name, face, problem, may) => {
      if (problem !== undefined) differences.push(`${may ? 'known' : 'NEW'} ${face}: ${name}: ${problem}`)
      if (!may) expect(problem).toBeUndefined()
    }
    const theirs = (): Places => world.genuine

    afterAll(() => {
      console.log(`${differences.length} differences from the genuine daprd\n${differences.join('\n')}`)
    })

    describe('over HTTP', () => {
      runTable('HTTP', theirs, judge)
      runRaw(theirs, judge)
    })
    describe('over gRPC', () => runTable('gRPC', theirs, judge, { lenient: true }))
  })
})
