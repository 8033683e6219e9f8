import type { LiveComponent } from '@outrigger/spec'
import { expect } from 'vitest'
import { plain } from './checks.ts'
import { expectedCapabilities, type SuiteOptions } from './fixture.ts'
import type { Case } from './suite.ts'

type Instance = LiveComponent & { readonly capabilities: ReadonlySet<string> }

interface Kind<C extends string> {
  readonly contract: string
  readonly typePrefix: string
  readonly capabilities: readonly C[]
  /** The optional methods of each capability, and no others. */
  readonly methods: Partial<Readonly<Record<C, readonly string[]>>>
}

/** What holds for components of every kind. */
export function commonCases<C extends string, I extends Instance, O extends SuiteOptions>(
  kind: Kind<C>,
): readonly Case<C, I, O>[] {
  return [
    {
      name: 'the definition is well formed',
      run({ definition, declared }) {
        expect(definition.contract).toBe(kind.contract)
        expect(definition.type).toMatch(/^[a-z0-9]+([.-][a-z0-9]+)+$/)
        expect(definition.type.startsWith(`${kind.typePrefix}.`)).toBe(true)
        expect(definition.title).not.toBe('')
        expect([...declared].filter((capability) => !kind.capabilities.includes(capability))).toEqual([])
        for (const { capability, reason } of definition.deviations ?? []) {
          expect(kind.capabilities).toContain(capability)
          expect(declared, 'a deviation is an ability that is lacking').not.toContain(capability)
          expect(reason).not.toBe('')
        }
        return Promise.resolve()
      },
    },
    {
      name: 'the instance declares what is expected of it, and nothing that its definition does not list',
      run({ definition, instance, declared, options }) {
        expect([...instance.capabilities].filter((capability) => !declared.has(capability as C))).toEqual([])
        expect([...instance.capabilities].toSorted()).toEqual(
          [...expectedCapabilities(definition, options)].toSorted(),
        )
        return Promise.resolve()
      },
    },
    {
      name: 'optional methods exist exactly where their capability is declared',
      run({ instance }) {
        const methods = Object.entries(kind.methods) as [C, readonly string[]][]
        for (const [capability, names] of methods) {
          const wanted = instance.capabilities.has(capability)
          for (const name of names) {
            const exists = typeof (instance as unknown as Record<string, unknown>)[name] === 'function'
            expect(exists, `${name}() with${wanted ? '' : 'out'} the capability ${capability}`).toBe(wanted)
          }
        }
        return Promise.resolve()
      },
    },
    {
      name: 'ping answers where it exists',
      lacks: (instance) => (instance.ping === undefined ? 'there is no ping' : undefined),
      run: async (fixture) => {
        await fixture.within('ping to answer', fixture.instance.ping!(plain))
      },
    },
    {
      name: 'close can be called twice, also at once',
      run: async (fixture) => {
        const instance = await fixture.create()
        await fixture.within('two closes', Promise.all([instance.close(), instance.close()]))
        await fixture.within('a third close', instance.close())
      },
    },
  ]
}
