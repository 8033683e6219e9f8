import { expect } from 'vitest'
import { plain } from '../checks.ts'
import { setOf, textOf, type StateCase, type StateFixture } from './options.ts'

async function write(fixture: StateFixture, keys: readonly string[], ttlSeconds?: number): Promise<void> {
  await Promise.all(keys.map((key) => fixture.instance.set(setOf(key, '1', { ttlSeconds }), plain)))
}

/** Every key that fits, page by page. */
async function like(fixture: StateFixture, pattern: string, pageSize?: number): Promise<string[]> {
  const keys: string[] = []
  let continuationToken: string | undefined
  for (let page = 0; page < 1000; page++) {
    const result = await fixture.instance.keysLike!({ pattern, pageSize, continuationToken }, plain)
    if (pageSize !== undefined) expect(result.keys.length).toBeLessThanOrEqual(pageSize)
    keys.push(...result.keys)
    continuationToken = result.continuationToken
    if (continuationToken === undefined) return keys.toSorted()
  }
  throw new Error('the pages do not end')
}

export const keyCases: readonly StateCase[] = [
  {
    name: 'keysLike: % stands for any run of characters, none too',
    needs: ['keysLike'],
    run: async (fixture) => {
      const base = fixture.unique()
      const keys = [`${base}||a`, `${base}||ab`, `${base}||b`, `${base}||`].toSorted()
      await write(fixture, [...keys, `x${base}||a`])
      expect(await like(fixture, `${base}||%`)).toEqual(keys)
      expect(await like(fixture, `${base}||a%`)).toEqual([`${base}||a`, `${base}||ab`])
      expect(await like(fixture, `${base}%b`)).toEqual([`${base}||ab`, `${base}||b`])
      expect(await like(fixture, `%${base}||a`)).toEqual([`${base}||a`, `x${base}||a`])
      expect(await like(fixture, `${base}||%%a%%`)).toEqual([`${base}||a`, `${base}||ab`])
    },
  },
  {
    name: 'keysLike: _ stands for one character',
    needs: ['keysLike'],
    run: async (fixture) => {
      const base = fixture.unique()
      await write(fixture, [`${base}`, `${base}1`, `${base}é`, `${base}12`])
      expect(await like(fixture, `${base}_`)).toEqual([`${base}1`, `${base}é`].toSorted())
      expect(await like(fixture, `${base}__`)).toEqual([`${base}12`])
    },
  },
  {
    name: 'keysLike: a backslash takes the next character literally',
    needs: ['keysLike'],
    run: async (fixture) => {
      const base = fixture.unique()
      await write(fixture, [`${base}%x`, `${base}ax`, `${base}_`, `${base}b`, `${base}\\`])
      expect(await like(fixture, `${base}\\%%`)).toEqual([`${base}%x`])
      expect(await like(fixture, `${base}\\_`)).toEqual([`${base}_`])
      expect(await like(fixture, `${base}\\\\`)).toEqual([`${base}\\`])
    },
  },
  {
    name: 'keysLike: without wildcards just the key, upper and lower case apart, and nothing else has a meaning',
    needs: ['keysLike'],
    run: async (fixture) => {
      const base = fixture.unique()
      await write(fixture, [`${base}a`, `${base}A`, `${base}.*`, `${base}?`, `${base}[a]`])
      expect(await like(fixture, `${base}a`)).toEqual([`${base}a`])
      expect(await like(fixture, `${base}A%`)).toEqual([`${base}A`])
      expect(await like(fixture, `${base}.*`)).toEqual([`${base}.*`])
      expect(await like(fixture, `${base}?`)).toEqual([`${base}?`])
      expect(await like(fixture, `${base}[a]`)).toEqual([`${base}[a]`])
      expect(await like(fixture, `${base}absent%`)).toEqual([])
    },
  },
  {
    name: 'keysLike: pages hold what was asked for, and together every key once',
    needs: ['keysLike'],
    run: async (fixture) => {
      const base = fixture.unique()
      const keys = Array.from({ length: 25 }, (_, n) => `${base}||${n}`).toSorted()
      await write(fixture, keys)
      for (const pageSize of [1, 7, 25, 100])
        expect(await like(fixture, `${base}||%`, pageSize)).toEqual(keys)
    },
  },
  {
    name: 'keysLike: paging goes on when keys of earlier pages are deleted',
    needs: ['keysLike'],
    run: async (fixture) => {
      const base = fixture.unique()
      const keys = Array.from({ length: 10 }, (_, n) => `${base}||${n}`)
      await write(fixture, keys)
      const found: string[] = []
      let continuationToken: string | undefined
      do {
        const page = await fixture.instance.keysLike!(
          { pattern: `${base}||%`, pageSize: 3, continuationToken },
          plain,
        )
        for (const key of page.keys) await fixture.instance.delete({ key, metadata: {} }, plain)
        found.push(...page.keys)
        continuationToken = page.continuationToken
      } while (continuationToken !== undefined && found.length <= keys.length)
      expect(found.toSorted()).toEqual(keys)
    },
  },
  {
    name: 'keysLike leaves out what has expired',
    needs: ['keysLike', 'ttl'],
    run: async (fixture) => {
      const base = fixture.unique()
      await write(fixture, [`${base}a`], 1)
      await write(fixture, [`${base}b`])
      await fixture.until('the key to expire', async () => (await like(fixture, `${base}%`)).length === 1)
      expect(await like(fixture, `${base}%`)).toEqual([`${base}b`])
    },
  },
  {
    name: 'deleteWithPrefix deletes what begins so, counts it and leaves the rest',
    needs: ['deleteWithPrefix'],
    run: async (fixture) => {
      const base = fixture.unique()
      await write(fixture, [
        `${base}||a`,
        `${base}||b`,
        `${base}||`,
        `${base}`,
        `x${base}||a`,
        `${base.toUpperCase()}||a`,
      ])
      expect(await fixture.instance.deleteWithPrefix!(`${base}||`, plain)).toBe(3)
      expect(await textOf(fixture.instance, `${base}||a`)).toBeUndefined()
      for (const key of [base, `x${base}||a`, `${base.toUpperCase()}||a`]) {
        expect(await textOf(fixture.instance, key)).toBe('1')
      }
      expect(await fixture.instance.deleteWithPrefix!(`${base}||`, plain)).toBe(0)
    },
  },
  {
    name: 'deleteWithPrefix takes % and _ and * as they are',
    needs: ['deleteWithPrefix'],
    run: async (fixture) => {
      const base = fixture.unique()
      await write(fixture, [`${base}%a`, `${base}_a`, `${base}*a`, `${base}xa`])
      for (const mark of ['%', '_', '*']) {
        expect(await fixture.instance.deleteWithPrefix!(`${base}${mark}`, plain)).toBe(1)
      }
      expect(await textOf(fixture.instance, `${base}xa`)).toBe('1')
    },
  },
]
