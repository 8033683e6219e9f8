import { isIPv6 } from 'node:net'
import { formatHostPort } from '@outrigger/kit'
import { ComponentError, type Instance, type Registration } from '@outrigger/spec'
import type { RegistrationSettings } from './settings.ts'

/** Beside the port: applications of other namespaces are not meant. Registrations without it belong to every one. */
const namespaceKey = 'DAPR_NAMESPACE'

/** What the agent is told of an instance. */
export interface ServiceBody {
  readonly ID: string
  readonly Name: string
  readonly Meta: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** The names that are written here; those of the configuration are matched with them without regard to case. */
const written = ['ID', 'Name', 'Address', 'Port', 'Meta', 'Tags', 'Check', 'Checks']

function canonical(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      written.find((each) => each.toLowerCase() === name.toLowerCase()) ?? name,
      value,
    ]),
  )
}

/** Makes the registration of an instance. Its id is the same after a restart on the same ports. */
export function serviceBody(
  registration: Registration,
  settings: RegistrationSettings,
  portKey: string,
): ServiceBody {
  const { appId, namespace, host, port, httpPort, appPort } = registration
  const id = `${appId}-${host}-${httpPort ?? port}`
  const own = { [portKey]: String(port), [namespaceKey]: namespace }
  if (settings.advanced !== undefined) {
    const advanced = canonical(settings.advanced)
    const meta = {
      [namespaceKey]: namespace,
      ...(advanced['Meta'] as object | undefined),
      [portKey]: String(port),
    }
    return { ID: id, Name: appId, ...advanced, Meta: meta }
  }
  const health =
    httpPort === undefined
      ? []
      : [
          {
            Name: 'Sidecar health',
            CheckID: `daprHealth:${id}`,
            Interval: '15s',
            HTTP: `http://${formatHostPort(host, httpPort)}/v1.0/healthz?appid=${encodeURIComponent(appId)}`,
            // It is registered when it serves; nobody has to wait for the first check.
            Status: 'passing',
          },
        ]
  return {
    ID: id,
    Name: appId,
    Address: host,
    ...(appPort === undefined ? {} : { Port: appPort }),
    Checks: settings.checks.length > 0 ? settings.checks : health,
    Tags: settings.tags,
    Meta: { ...settings.meta, ...own },
  }
}

interface Entry {
  readonly Node?: { readonly Address?: string }
  readonly Service?: {
    readonly ID?: string
    readonly Address?: string
    readonly Meta?: Readonly<Record<string, string>> | null
  }
}

/** Reads the answer to a question for the healthy instances of an application. */
export function readInstances(
  body: unknown,
  appId: string,
  namespace: string,
  portKey: string,
): readonly Instance[] {
  const entries = Array.isArray(body) ? (body as Entry[]) : []
  const found = new Map<string, Instance>()
  let nameless = 0
  for (const { Node, Service } of entries) {
    const meta = Service?.Meta ?? {}
    if (meta[namespaceKey] !== undefined && meta[namespaceKey] !== namespace) continue
    const address = Service?.Address || Node?.Address
    const port = Number(meta[portKey])
    if (address === undefined || address === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
      nameless++
      continue
    }
    const host = address.startsWith('[') && isIPv6(address.slice(1, -1)) ? address.slice(1, -1) : address
    found.set(`${host} ${port}`, { host, port })
  }
  if (found.size === 0 && nameless > 0) {
    throw new ComponentError(
      'FAILED_PRECONDITION',
      `"${appId}" is registered with Consul, but without the port of its sidecar: its meta must have ${portKey}`,
    )
  }
  return [...found.values()].toSorted((a, b) =>
    a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1,
  )
}
