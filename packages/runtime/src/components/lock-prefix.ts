import type { LockStore } from '@outrigger/spec'
import { StartupError } from '../config/startup-error.ts'
import type { LoadedComponent } from './live.ts'

const separator = '||'

/**
 * What stands in front of the name of every lock of a store, from its `keyPrefix` metadata. As in Dapr, to the letter:
 * two sidecars keep each other out only if they mean the same key. There is no strategy `namespace`, and any other word
 * is taken in lower case.
 * @throws StartupError when the prefix holds the separator
 */
export function lockPrefix(
  component: Pick<LoadedComponent, 'properties' | 'resource'>,
  names: { readonly appId: string; readonly storeName: string },
): string {
  const given = Object.entries(component.properties).find(([name]) => name.toLowerCase() === 'keyprefix')?.[1]
  const word = (given ?? 'appid').toLowerCase()
  if (word.includes(separator)) {
    const { name, type, source } = component.resource
    throw new StartupError([
      `${source.file}:${source.line}: Component "${name}" (${type}): keyPrefix must not contain ${separator}: appid, name, none or a word of your own`,
    ])
  }
  switch (word) {
    case 'appid':
      return `lock${separator}${names.appId}${separator}`
    case 'name':
      return `lock${separator}${names.storeName}${separator}`
    case 'none':
      return `lock${separator}`
    default:
      return `lock${separator}${word}${separator}`
  }
}

/** A store that sees the name of every lock behind `prefix`. */
export function withLockPrefix(store: LockStore, prefix: string): LockStore {
  const { ping } = store
  const add = <R extends { readonly resourceId: string }>(request: R): R => ({
    ...request,
    resourceId: prefix + request.resourceId,
  })
  return {
    capabilities: store.capabilities,
    tryLock: (request, options) => store.tryLock(add(request), options),
    unlock: (request, options) => store.unlock(add(request), options),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}
