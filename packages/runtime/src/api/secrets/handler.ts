import type { Logger, Metadata, OperationOptions, Secret, SecretStore } from '@outrigger/spec'
import type { SecretScope } from '../../config/configuration.ts'
import { ApiError, failureText } from '../api-error.ts'

export type SecretStores = ReadonlyMap<string, { readonly instance: SecretStore }>

/** The secret operations, for every face of the runtime. */
export class SecretsHandler {
  readonly #stores: SecretStores
  readonly #scopes: ReadonlyMap<string, (name: string) => boolean>
  readonly #logger: Logger

  constructor(stores: SecretStores, scopes: readonly SecretScope[], logger: Logger) {
    this.#stores = stores
    this.#scopes = new Map(scopes.map((scope) => [scope.storeName.toLowerCase(), compile(scope)]))
    this.#logger = logger
  }

  async get(storeName: string, name: string, metadata: Metadata, options: OperationOptions): Promise<Secret> {
    const store = this.#store(storeName)
    if (!this.#allowed(storeName, name)) {
      throw new ApiError(
        'SECRET_PERMISSION_DENIED',
        `access denied by policy to get "${name}" from "${storeName}"`,
      )
    }
    try {
      const secret = await store.get({ name, metadata }, options)
      if (secret !== undefined) return secret
    } catch (error) {
      const text = failureText(error, this.#logger, 'reading a secret failed')
      throw new ApiError(
        'SECRET_GET',
        `failed getting secret with key ${name} from secret store ${storeName}: ${text}`,
        {
          cause: error,
        },
      )
    }
    throw new ApiError(
      'SECRET_GET',
      `failed getting secret with key ${name} from secret store ${storeName}: secret ${name} not found`,
    )
  }

  async getBulk(
    storeName: string,
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<Readonly<Record<string, Secret>>> {
    const store = this.#store(storeName)
    try {
      const all = await store.bulkGet(metadata, options)
      return Object.fromEntries(Object.entries(all).filter(([name]) => this.#allowed(storeName, name)))
    } catch (error) {
      const text = failureText(error, this.#logger, 'reading secrets failed')
      throw new ApiError('SECRET_GET', `failed getting secrets from secret store ${storeName}: ${text}`, {
        cause: error,
      })
    }
  }

  #allowed(storeName: string, name: string): boolean {
    return this.#scopes.get(storeName.toLowerCase())?.(name) ?? true
  }

  #store(name: string): SecretStore {
    const live = this.#stores.get(name)
    if (live !== undefined) return live.instance
    if (this.#stores.size === 0)
      throw new ApiError('SECRET_STORES_NOT_CONFIGURED', 'secret store is not configured')
    throw new ApiError('SECRET_STORE_NOT_FOUND', `failed finding secret store with key ${name}`)
  }
}

/** An allowed list that is not empty decides alone; then the denied list; then the default. */
function compile(scope: SecretScope): (name: string) => boolean {
  const allowed = new Set(scope.allowedSecrets)
  const denied = new Set(scope.deniedSecrets)
  return (name) => {
    if (allowed.size > 0) return allowed.has(name)
    if (denied.has(name)) return false
    return scope.defaultAccess === 'allow'
  }
}
