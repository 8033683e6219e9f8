import { fields, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  defineSecretStore,
  type Metadata,
  type OperationOptions,
  type Secret,
  type SecretGetRequest,
  type SecretStore,
  type SecretStoreCapability,
} from '@outrigger/spec'
import { secretStoreSuite, type SecretStoreSuiteOptions } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

const several: Readonly<Record<string, Secret>> = {
  db: { user: 'ü', password: 'a=b\n' },
  token: { token: 'x' },
}
const single: Readonly<Record<string, Secret>> = { token: { token: 'x' }, empty: { empty: '' } }

class ReferenceSecrets implements SecretStore {
  capabilities: Set<SecretStoreCapability>
  secrets: Readonly<Record<string, Secret>>
  closed = false

  constructor(secrets: Readonly<Record<string, Secret>>, multiple: boolean) {
    this.secrets = secrets
    this.capabilities = new Set(multiple ? ['multipleKeyValues'] : [])
  }

  check = (options: OperationOptions): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
  }

  get = async ({ name }: SecretGetRequest, options: OperationOptions): Promise<Secret | undefined> => {
    this.check(options)
    return Object.hasOwn(this.secrets, name) ? this.secrets[name] : undefined
  }

  bulkGet = async (_: Metadata, options: OperationOptions): Promise<Readonly<Record<string, Secret>>> => {
    this.check(options)
    return this.secrets
  }

  close = async (): Promise<void> => {
    this.closed = true
  }
}

function prove(
  multiple: boolean,
  mutants: readonly Mutant<ReferenceSecrets>[],
  skipped: readonly string[],
): void {
  const secrets = multiple ? several : single
  const options: SecretStoreSuiteOptions = { properties: () => ({}), secrets }
  proveSuite(
    secretStoreSuite,
    (mutate) =>
      defineSecretStore({
        type: 'secretstores.reference',
        title: 'Reference',
        versions: {
          v1: {
            metadata: fields({}),
            capabilities: multiple ? ['multipleKeyValues'] : [],
            create: () => {
              const store = new ReferenceSecrets(secrets, multiple)
              mutate?.(store)
              return Promise.resolve(store)
            },
          },
        },
      }),
    options,
    mutants as unknown as readonly Mutant<SecretStore>[],
    ['ping answers where it exists', 'a store that cannot list says UNSUPPORTED', ...skipped],
  )
}

prove(
  true,
  [
    {
      title: 'trims values',
      break: (store) => {
        const { get } = store
        store.get = async (...parameters) => {
          const secret = await get(...parameters)
          return (
            secret && Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, value.trim()]))
          )
        }
      },
      caughtBy: ['every secret is given with exactly its keys and values'],
    },
    {
      title: 'gives just the first key',
      break: (store) => {
        store.secrets = Object.fromEntries(
          Object.entries(store.secrets).map(([name, secret]) => [
            name,
            Object.fromEntries(Object.entries(secret).slice(0, 1)),
          ]),
        )
      },
      caughtBy: [
        'every secret is given with exactly its keys and values',
        'with the multipleKeyValues capability a secret has several keys',
        'bulkGet gives every secret as get does',
      ],
    },
    {
      title: 'finds what every object has',
      break: (store) => {
        store.get = async ({ name }) => store.secrets[name]
      },
      caughtBy: ['what is absent is undefined, whatever its name'],
    },
    {
      title: 'gives an empty secret for what is absent',
      break: (store) => {
        const { get } = store
        store.get = async (...parameters) => (await get(...parameters)) ?? {}
      },
      caughtBy: ['what is absent is undefined, whatever its name'],
    },
    {
      title: 'has several keys and does not declare it',
      break: (store) => store.capabilities.clear(),
      capabilities: [],
      caughtBy: ['without the multipleKeyValues capability a secret has one value under its own name'],
    },
    {
      title: 'lists only some',
      break: (store) => {
        store.bulkGet = async () => ({ token: { token: 'x' } })
      },
      caughtBy: ['bulkGet gives every secret as get does'],
    },
    {
      title: 'ignores signals and works on after close',
      break: (store) => {
        store.check = () => {}
      },
      caughtBy: [
        'a signal that was aborted cancels every operation',
        'after close every operation is refused as CLOSED',
      ],
    },
  ],
  ['without the multipleKeyValues capability a secret has one value under its own name'],
)

prove(
  false,
  [
    {
      title: 'names the value otherwise',
      break: (store) => {
        store.get = async ({ name }) => ({ value: store.secrets[name]?.[name] ?? '' })
      },
      caughtBy: ['without the multipleKeyValues capability a secret has one value under its own name'],
    },
    {
      title: 'drops empty values',
      break: (store) => {
        const { get } = store
        store.get = async (request, options) => {
          const secret = await get(request, options)
          return secret?.[request.name] === '' ? undefined : secret
        }
      },
      caughtBy: ['every secret is given with exactly its keys and values'],
    },
  ],
  ['with the multipleKeyValues capability a secret has several keys'],
)
