import { isIP, isIPv6 } from 'node:net'
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type DecodedPacket,
  type Packet,
  type SrvAnswer,
  type StringAnswer,
  type TxtAnswer,
} from 'dns-packet'

/** One instance of an application, as it is said in a message. */
export interface Announced {
  /** Its own name, the same in every message about it. */
  readonly instance: string
  readonly appId: string
  /** Absent where the announcing sidecar knows no namespaces. */
  readonly namespace?: string | undefined
  readonly host: string
  readonly port: number
}

/** What a message tells of the instances of one application. */
export interface Told {
  readonly alive: readonly (Announced & { readonly ttlMs: number })[]
  /** Names of instances that leave. */
  readonly gone: readonly string[]
}

/** How long others may believe an announcement, in seconds (RFC 6762, section 10). */
const ttlS = 120

const namespacePrefix = 'namespace='

/** Labels and whole names of DNS have at most so many bytes. */
const largestLabel = 63
const largestName = 255

/** The name under which all instances of an application are found. Dapr has the bare id as the type of the service. */
export function serviceName(appId: string): string {
  return `${appId}.local`
}

/** Whether DNS can carry the id. */
export function isNameable(appId: string): boolean {
  const labels = appId.split('.')
  // The name of an instance has one more label before it.
  return (
    labels.every((label) => label !== '' && Buffer.byteLength(label) <= largestLabel) &&
    Buffer.byteLength(serviceName(appId)) + largestLabel + 2 <= largestName
  )
}

/** Names are compared without regard to case. */
export function sameName(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase()
}

export function encodeQuery(appId: string): Buffer {
  return encode({ type: 'query', questions: [{ name: serviceName(appId), type: 'PTR', class: 'IN' }] })
}

/** Everything that is to be known of an instance, in one message. With `leaving` others forget it. */
export function encodeAnnouncement(announced: Announced, leaving = false): Buffer {
  const { instance, appId, namespace, host, port } = announced
  const ttl = leaving ? 0 : ttlS
  const service = serviceName(appId)
  const name = `${instance}.${service}`
  // Its own host name, for the machine's name may have other addresses elsewhere.
  const target = `${instance}.local`
  const text = namespace === undefined ? [appId] : [appId, `${namespacePrefix}${namespace}`]
  const packet: Packet = {
    type: 'response',
    flags: AUTHORITATIVE_ANSWER,
    answers: [{ name: service, type: 'PTR', ttl, class: 'IN', data: name }],
    additionals: [
      { name, type: 'SRV', ttl, class: 'IN', flush: true, data: { priority: 0, weight: 0, port, target } },
      // Dapr compares the first text with the id.
      { name, type: 'TXT', ttl, class: 'IN', flush: true, data: text },
      { name: target, type: isIPv6(host) ? 'AAAA' : 'A', ttl, class: 'IN', flush: true, data: host },
    ],
  }
  return encode(packet)
}

/** Reads a message; `undefined` when it is none. Whoever is on the network can send anything. */
export function decodeMessage(bytes: Buffer): DecodedPacket | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}

const ofService: ReadonlySet<string> = new Set(['PTR', 'ANY'])
const ofInstance: ReadonlySet<string> = new Set(['SRV', 'TXT', 'ANY'])

/** Whether a message asks for the instances of an application, or for the one of that name. */
export function asksFor(message: DecodedPacket, appId: string, instance?: string): boolean {
  if (message.type !== 'query') return false
  const service = serviceName(appId)
  return (message.questions ?? []).some(({ name, type }) => {
    if (sameName(name, service)) return ofService.has(type)
    return instance !== undefined && ofInstance.has(type) && sameName(name, `${instance}.${service}`)
  })
}

/** Reads what a response tells of an application. Only what one message says together counts, as with Dapr. */
export function readInstances(message: DecodedPacket, appId: string): Told {
  const alive: (Announced & { ttlMs: number })[] = []
  const gone: string[] = []
  if (message.type !== 'response') return { alive, gone }
  const records = [message.answers, message.authorities, message.additionals].flatMap((each) => each ?? [])
  const names = records.filter((record): record is StringAnswer => record.type === 'PTR')
  const places = records.filter((record): record is SrvAnswer => record.type === 'SRV')
  const texts = records.filter((record): record is TxtAnswer => record.type === 'TXT')
  const addresses = records.filter((record): record is StringAnswer => /^A(AAA)?$/.test(record.type))
  const service = serviceName(appId)
  for (const pointer of names) {
    if (!sameName(pointer.name, service)) continue
    const name = pointer.data
    if (pointer.ttl === 0) {
      gone.push(name)
      continue
    }
    const place = places.find((record) => sameName(record.name, name))?.data
    const about = textsOf(texts.find((record) => sameName(record.name, name))?.data)
    if (place === undefined || about[0] !== appId) continue
    // Of an instance that has both, the IPv4 address, as with Dapr.
    const hosts = addresses.filter((record) => sameName(record.name, place.target))
    const host = (hosts.find((record) => record.type === 'A') ?? hosts[0])?.data
    if (host === undefined || isIP(host) === 0 || place.port === 0) continue
    const namespace = about.find((text) => text.startsWith(namespacePrefix))?.slice(namespacePrefix.length)
    const ttlMs = (pointer.ttl ?? ttlS) * 1000
    alive.push({ instance: name, appId, namespace, host, port: place.port, ttlMs })
  }
  return { alive, gone }
}

function textsOf(data: unknown): string[] {
  const parts = Array.isArray(data) ? (data as unknown[]) : data === undefined ? [] : [data]
  return parts.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString() : String(part)))
}
