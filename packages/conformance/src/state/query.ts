import type { StateFilter, StateQuery } from '@outrigger/spec'
import { expect } from 'vitest'
import { plain } from '../checks.ts'
import { setOf, type StateCase, type StateFixture } from './options.ts'

/** Four people of a group that no other test has. */
async function people(fixture: StateFixture): Promise<string> {
  const group = fixture.unique('group')
  const rows = [
    ['a', 'north', 30],
    ['b', 'south', 20],
    ['c', 'north', 10],
    ['d', 'west', 40],
  ] as const
  for (const [name, region, age] of rows) {
    await fixture.instance.set(setOf(`${group}-${name}`, JSON.stringify({ group, region, age })), plain)
  }
  return group
}

async function names(fixture: StateFixture, group: string, query: StateQuery): Promise<readonly string[]> {
  const { results } = await fixture.instance.query!(query, {}, plain)
  return results.map(({ key }) => key.slice(group.length + 1))
}

export const queryCases: readonly StateCase[] = [
  {
    name: 'query: EQ, IN, AND and OR filter',
    needs: ['query'],
    run: async (fixture) => {
      const group = await people(fixture)
      const within = (filter: StateFilter): StateQuery => ({ filter: { AND: [{ EQ: { group } }, filter] } })
      expect((await names(fixture, group, { filter: { EQ: { group } } })).toSorted()).toEqual([
        'a',
        'b',
        'c',
        'd',
      ])
      expect((await names(fixture, group, within({ EQ: { region: 'north' } }))).toSorted()).toEqual([
        'a',
        'c',
      ])
      const list = within({ IN: { region: ['north', 'west'] } })
      expect((await names(fixture, group, list)).toSorted()).toEqual(['a', 'c', 'd'])
      const either = within({ OR: [{ EQ: { region: 'south' } }, { EQ: { age: 40 } }] })
      expect((await names(fixture, group, either)).toSorted()).toEqual(['b', 'd'])
    },
  },
  {
    name: 'query: results are sorted, and come in pages',
    needs: ['query'],
    run: async (fixture) => {
      const group = await people(fixture)
      const filter = { EQ: { group } }
      expect(await names(fixture, group, { filter, sort: [{ key: 'age' }] })).toEqual(['c', 'b', 'a', 'd'])
      const sort = [{ key: 'age', order: 'DESC' }] as const
      const first = await fixture.instance.query!({ filter, sort, page: { limit: 3 } }, {}, plain)
      expect(first.results.map(({ key }) => key.slice(-1))).toEqual(['d', 'a', 'b'])
      const second = await fixture.instance.query!(
        { filter, sort, page: { limit: 3, token: first.token } },
        {},
        plain,
      )
      expect(second.results.map(({ key }) => key.slice(-1))).toEqual(['c'])
    },
  },
]
