import type { LoadedComponent } from '../components/live.ts'
import { StartupError } from '../config/startup-error.ts'

/** An AES key and the name under which values say that they were written with it: that of its secret. */
export interface EncryptionKey {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface EncryptionKeys {
  /** New values are written with this one. */
  readonly primary: EncryptionKey
  /** Values that were written with this one can still be read. */
  readonly secondary: EncryptionKey | undefined
}

const keyBytes: ReadonlySet<number> = new Set([16, 24, 32])
const names = ['primaryEncryptionKey', 'secondaryEncryptionKey'] as const

/**
 * The keys with which a state store encrypts its values, from the metadata `primaryEncryptionKey` and
 * `secondaryEncryptionKey`; `undefined` where there are none.
 * @throws StartupError for what cannot be a key. It names component and field, never the value
 */
export function encryptionKeys(
  component: Pick<LoadedComponent, 'properties' | 'resource'>,
): EncryptionKeys | undefined {
  const problems: string[] = []
  const [primary, secondary] = names.map((name) => {
    try {
      return keyOf(name, component)
    } catch (error) {
      const { resource } = component
      const line = itemOf(name, component)?.line ?? resource.source.line
      problems.push(
        `${resource.source.file}:${line}: Component "${resource.name}" (${resource.type}): ${(error as Error).message}`,
      )
      return undefined
    }
  })
  if (problems.length > 0) throw new StartupError(problems)
  if (primary === undefined) {
    if (secondary === undefined) return undefined
    const { name, type, source } = component.resource
    throw new StartupError([
      `${source.file}:${source.line}: Component "${name}" (${type}): secondaryEncryptionKey needs a primaryEncryptionKey, with which new values are written`,
    ])
  }
  if (secondary !== undefined && secondary.name === primary.name && !same(primary.bytes, secondary.bytes)) {
    const { name, type, source } = component.resource
    throw new StartupError([
      `${source.file}:${source.line}: Component "${name}" (${type}): primaryEncryptionKey and secondaryEncryptionKey are different keys of one secret "${primary.name}": values name only the secret of their key, so keep the keys in two`,
    ])
  }
  return { primary, secondary }
}

function keyOf(
  name: string,
  component: Pick<LoadedComponent, 'properties' | 'resource'>,
): EncryptionKey | undefined {
  const item = itemOf(name, component)
  if (item === undefined) return undefined
  const secret = item.secretKeyRef?.name
  if (secret === undefined || secret === '') {
    throw new Error(`${name} must be a secretKeyRef: a key does not belong in a resource file`)
  }
  const hex = component.properties[item.name]?.trim() ?? ''
  const bytes = /^(?:[0-9a-f]{2})+$/i.test(hex) ? Buffer.from(hex, 'hex') : undefined
  if (bytes === undefined || !keyBytes.has(bytes.length)) {
    throw new Error(
      `${name} must be an AES key of 128, 192 or 256 bits in hexadecimal: 32, 48 or 64 digits (openssl rand -hex 32 makes one)`,
    )
  }
  return { name: secret, bytes }
}

function itemOf(name: string, { resource }: Pick<LoadedComponent, 'resource'>) {
  return resource.metadata.findLast((item) => item.name.toLowerCase() === name.toLowerCase())
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
