import type {
  Instance,
  NameResolutionCapability,
  NameResolver,
  RegisteredInstance,
  Registration,
} from '@outrigger/spec'
import { plain } from '../checks.ts'
import type { Fixture } from '../fixture.ts'
import type { Case } from '../suite.ts'
import type { NameResolutionSuiteOptions } from './options.ts'

export type NameFixture = Fixture<NameResolutionCapability, NameResolver, NameResolutionSuiteOptions>
export type NameCase = Case<NameResolutionCapability, NameResolver, NameResolutionSuiteOptions>

/** Instances as texts in a fixed order, so that lists can be compared. */
export function addresses(instances: readonly Instance[]): string[] {
  return instances.map(({ host, port }) => `${host} ${port}`).toSorted()
}

let ports = 20_000

/** How an instance is announced; every one has another port. */
export function registration(
  fixture: NameFixture,
  appId: string,
  more: Partial<Registration> = {},
): Registration {
  const port = ++ports
  return {
    appId,
    namespace: fixture.options.namespace ?? 'default',
    host: '127.0.0.1',
    port,
    instanceId: crypto.randomUUID(),
    metadata: {},
    ...fixture.options.registration,
    ...more,
  }
}

/** The resolver that looks: another one than the one that announces, where they can see each other. */
export async function observer(fixture: NameFixture): Promise<NameResolver> {
  return fixture.options.withinInstance === true ? fixture.instance : fixture.create()
}

export async function find(
  fixture: NameFixture,
  resolver: NameResolver,
  appId: string,
  namespace = fixture.options.namespace ?? 'default',
): Promise<string[]> {
  const { instances } = await resolver.resolve({ appId, namespace, port: 50_002, metadata: {} }, plain)
  return addresses(instances)
}

/** Waits until just these are found. */
export async function finds(
  fixture: NameFixture,
  resolver: NameResolver,
  appId: string,
  wanted: readonly Instance[],
): Promise<void> {
  const expected = JSON.stringify(addresses(wanted))
  let found = ''
  await fixture
    .until(
      `to find ${expected}`,
      async () => (found = JSON.stringify(await find(fixture, resolver, appId))) === expected,
    )
    .catch((error: unknown) => {
      throw new Error(`${(error as Error).message}, found ${found}`, { cause: error })
    })
}

/** Announces instances of one id. */
export function announce(
  fixture: NameFixture,
  registrations: readonly Registration[],
  resolver = fixture.instance,
): Promise<RegisteredInstance[]> {
  return Promise.all(registrations.map((each) => resolver.register!(each, plain)))
}
