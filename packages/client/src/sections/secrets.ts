import type { Secret } from '@outrigger/spec'
import { noOptions, type CallOptions } from '../call.ts'
import { required } from '../values.ts'

export interface SecretsPort {
  get(store: string, name: string, options: CallOptions): Promise<Secret>
  getBulk(store: string, options: CallOptions): Promise<Readonly<Record<string, Secret>>>
}

/** Secret stores. */
export class SecretsClient {
  readonly #port: SecretsPort

  constructor(port: SecretsPort) {
    this.#port = port
  }

  /** The values of a secret by their keys; most stores have one, of the secret's own name. */
  async get(store: string, name: string, options: CallOptions = noOptions): Promise<Secret> {
    required(store, 'the name of the store')
    required(name, 'the name of the secret')
    return this.#port.get(store, name, options)
  }

  /** All secrets that this application may see, by their names. */
  async getBulk(store: string, options: CallOptions = noOptions): Promise<Readonly<Record<string, Secret>>> {
    required(store, 'the name of the store')
    return this.#port.getBulk(store, options)
  }
}
