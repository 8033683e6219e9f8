import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createForTest, type CreateOptions } from '@outrigger/conformance'
import type { NameResolver, Registration } from '@outrigger/spec'
import { onTestFinished } from 'vitest'
import definition from '../src/index.ts'

/** A path for a database file that goes away with the test. */
export function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-nameresolution-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'nr.db')
}

/** A resolver that is closed with the test. */
export async function open(
  connectionString: string,
  properties: Record<string, string> = {},
  extra: Partial<CreateOptions> = {},
): Promise<NameResolver> {
  const all = { connectionString, ...properties }
  const resolver = await createForTest(definition, { properties: all, ...extra })
  onTestFinished(() => resolver.close())
  return resolver
}

export function registration(appId: string, port: number, more: Partial<Registration> = {}): Registration {
  return { appId, namespace: 'default', host: '127.0.0.1', port, metadata: {}, ...more }
}

export async function portsOf(
  resolver: NameResolver,
  appId: string,
  namespace = 'default',
): Promise<number[]> {
  const { instances } = await resolver.resolve({ appId, namespace, metadata: {} }, {})
  return instances.map(({ port }) => port).toSorted((a, b) => a - b)
}
