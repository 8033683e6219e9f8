import { createForTest, type CreateOptions } from '@outrigger/conformance'
import type { Service } from '@outrigger/services'
import type { NameResolver, Registration } from '@outrigger/spec'
import { onTestFinished } from 'vitest'
import definition from '../src/index.ts'

export type Written = Readonly<Record<string, unknown>>

/** The configuration as the runtime hands it over: texts as they are, everything else as JSON. */
export function properties(written: Written): Record<string, string> {
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

/** A resolver that is closed with the test. */
export async function open(
  server: Service,
  written: Written = {},
  extra: Partial<CreateOptions> = {},
): Promise<NameResolver> {
  const client = { address: `127.0.0.1:${server.port}`, ...(written['client'] as object | undefined) }
  const resolver = await createForTest(definition, {
    properties: properties({ queryOptions: { useCache: false }, ...written, client }),
    ...extra,
  })
  onTestFinished(() => resolver.close())
  return resolver
}

export function registration(appId: string, port: number, more: Partial<Registration> = {}): Registration {
  return { appId, namespace: 'default', host: '127.0.0.1', port, metadata: {}, ...more }
}

export async function found(resolver: NameResolver, appId: string): Promise<string[]> {
  const { instances } = await resolver.resolve({ appId, namespace: 'default', metadata: {} }, {})
  return instances.map(({ host, port }) => `${host} ${port}`)
}

export async function api(server: Service, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${server.port}/v1/${path}`, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}
