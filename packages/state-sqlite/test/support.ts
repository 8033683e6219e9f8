import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createForTest, type CreateOptions } from '@outrigger/conformance'
import type { StateSetRequest, StateStore } from '@outrigger/spec'
import { onTestFinished } from 'vitest'
import definition from '../src/index.ts'

/** A path for a database file that goes away with the test. */
export function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-state-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'state.db')
}

/** A store that is closed with the test. */
export async function open(
  properties: Record<string, string>,
  extra: Partial<CreateOptions> = {},
): Promise<StateStore> {
  const store = await createForTest(definition, { properties, ...extra })
  onTestFinished(() => store.close())
  return store
}

export function json(key: string, text: string, extra: Partial<StateSetRequest> = {}): StateSetRequest {
  return { key, value: { kind: 'json', bytes: Buffer.from(text) }, metadata: {}, ...extra }
}

export async function textOf(store: StateStore, key: string): Promise<string | undefined> {
  const item = await store.get({ key, metadata: {} }, {})
  return item === undefined ? undefined : Buffer.from(item.value.bytes).toString()
}
