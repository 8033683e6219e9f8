import { createForTest } from '@outrigger/conformance'
import { isComponentError, type ComponentError, type StateStore, type StateValue } from '@outrigger/spec'
import definition from '../src/index.ts'

export const plain = Object.freeze({})

export function open(properties: Record<string, string>, initSignal?: AbortSignal): Promise<StateStore> {
  return createForTest(definition, { properties, initSignal })
}

export function json(text: string): StateValue {
  return { bytes: Buffer.from(text), kind: 'json' }
}

export async function textOf(store: StateStore, key: string): Promise<string | undefined> {
  const item = await store.get({ key, metadata: {} }, plain)
  return item === undefined ? undefined : Buffer.from(item.value.bytes).toString()
}

/** The ComponentError that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<ComponentError> {
  try {
    await promise
  } catch (error) {
    if (isComponentError(error)) return error
    throw error
  }
  throw new Error('expected a rejection')
}

/** Everything that a log might print of an error. */
export function printed(error: ComponentError): string {
  const cause = error.cause as Error | undefined
  return [error.message, error.stack, cause?.message, cause?.stack, JSON.stringify(cause)].join('\n')
}

export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
