import type { ComponentResource } from '../resources/model.ts'
import { LoadProblem } from './resolve.ts'

/** The store that the secrets of a resource are in; `undefined` when it refers to none. */
export interface StoreNeed {
  readonly store: string
  /** Line of the first item that refers to a secret. */
  readonly line: number
}

export interface Plan {
  /** Those of one stage need nothing of each other. Secret stores come first, each after the one it needs itself. */
  readonly stages: readonly (readonly ComponentResource[])[]
  readonly refused: readonly {
    readonly resource: ComponentResource
    readonly line: number
    readonly problem: LoadProblem
  }[]
}

/** The secret store that a resource waits for. @throws LoadProblem when it refers to a secret and names no store */
export function storeNeed(
  resource: ComponentResource,
  defaultStore: string | undefined,
): StoreNeed | undefined {
  const item = resource.metadata.find(({ secretKeyRef }) => secretKeyRef !== undefined)
  if (item === undefined) return undefined
  const store = resource.secretStore ?? defaultStore
  if (store !== undefined) return { store, line: item.line }
  throw new LoadProblem(
    `spec.metadata "${item.name}" has a secretKeyRef, and auth.secretStore is missing: name the secret store component there`,
  )
}

/** In which order components are loaded. */
export function plan(resources: readonly ComponentResource[], defaultStore: string | undefined): Plan {
  const refused: { resource: ComponentResource; line: number; problem: LoadProblem }[] = []
  const needs = new Map<ComponentResource, StoreNeed | undefined>()
  for (const resource of resources) {
    try {
      needs.set(resource, storeNeed(resource, defaultStore))
    } catch (error) {
      const line =
        resource.metadata.find(({ secretKeyRef }) => secretKeyRef !== undefined)?.line ?? resource.source.line
      refused.push({ resource, line, problem: error as LoadProblem })
    }
  }
  const stores = new Map<string, ComponentResource>()
  for (const resource of needs.keys()) if (isStore(resource)) stores.set(resource.name, resource)

  const stages: ComponentResource[][] = []
  const others: ComponentResource[] = []
  for (const [resource, need] of needs) {
    if (!isStore(resource)) {
      others.push(resource)
      continue
    }
    const chain = chainOf(resource, needs, stores)
    if (chain.cycle === undefined) {
      ;(stages[chain.length] ??= []).push(resource)
      continue
    }
    const line = need?.line ?? resource.source.line
    refused.push({ resource, line, problem: new LoadProblem(chain.cycle) })
  }
  if (others.length > 0) stages.push(others)
  return { stages: stages.filter((stage) => stage.length > 0), refused }
}

/** How many stores must be there before this one, or how they go round in a circle. */
function chainOf(
  resource: ComponentResource,
  needs: ReadonlyMap<ComponentResource, StoreNeed | undefined>,
  stores: ReadonlyMap<string, ComponentResource>,
): { readonly length: number; readonly cycle?: string } {
  const path = [resource]
  for (;;) {
    const need = needs.get(path.at(-1)!)
    // A store that is not there is found out when the secret is asked for.
    const next = need === undefined ? undefined : stores.get(need.store)
    if (next === undefined) return { length: path.length - 1 }
    if (!path.includes(next)) {
      path.push(next)
      continue
    }
    const circle = [...path.slice(path.indexOf(next)), next].map(({ name }) => `"${name}"`).join(' -> ')
    return {
      length: 0,
      cycle: `auth.secretStore goes round in a circle (${circle}), so that none can be first: write one of the secrets in another store`,
    }
  }
}

function isStore(resource: ComponentResource): boolean {
  return resource.type.startsWith('secretstores.')
}
