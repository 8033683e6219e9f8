import {
  ComponentError,
  type ComponentContext,
  type Clock,
  defineSecretStore,
  defineStateStore,
  type Logger,
  type MetadataField,
  type MetadataSchema,
  type Random,
  type SecretStore,
  type StateStore,
} from '@outrigger/spec'
import { expect } from 'vitest'
import type { ComponentResource } from '../../src/resources/model.ts'
import { readResources } from '../../src/resources/read.ts'
import { LoadError, loadComponents } from '../../src/loader/load.ts'
import type { LoadOptions } from '../../src/loader/types.ts'

export class TestLogger implements Logger {
  readonly lines: string[] = []
  debug(message: string, fields?: object): void {
    this.#add('debug', message, fields)
  }
  info(message: string, fields?: object): void {
    this.#add('info', message, fields)
  }
  warn(message: string, fields?: object): void {
    this.#add('warn', message, fields)
  }
  error(message: string, fields?: object): void {
    this.#add('error', message, fields)
  }
  warnings(): string[] {
    return this.lines.filter((line) => line.startsWith('warn ')).map((line) => line.slice(5))
  }
  #add(level: string, message: string, fields: object = {}): void {
    this.lines.push(`${level} ${message}${JSON.stringify(fields) === '{}' ? '' : JSON.stringify(fields)}`)
  }
}

/** Time that stands still until it is moved. */
export class TestClock implements Clock {
  time = 0
  #timers = new Set<{ at: number; callback: () => void }>()
  now(): number {
    return this.time
  }
  monotonic(): number {
    return this.time
  }
  schedule(delayMs: number, callback: () => void) {
    const timer = { at: this.time + delayMs, callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }
  get pending(): number {
    return this.#timers.size
  }
  advance(ms: number): void {
    this.time += ms
    for (const timer of this.#timers) {
      if (timer.at > this.time) continue
      this.#timers.delete(timer)
      timer.callback()
    }
  }
}

function counting(): Random {
  let count = 0
  return { next: () => 0, uuid: () => `uuid-${++count}` }
}

interface FieldOptions extends Partial<MetadataField> {
  readonly name: string
}

/** A schema that reads texts, and whole numbers for fields of that type; it shows values, as it should not. */
export function schema(...fields: FieldOptions[]): MetadataSchema<Record<string, string>> {
  const full = fields.map((field): MetadataField => {
    return { aliases: [], type: 'string', description: '', required: false, sensitive: false, ...field }
  })
  return {
    fields: full,
    openPrefixes: [],
    parse(properties) {
      const issues = full.flatMap((field) => {
        const key = Object.keys(properties).find((name) => name.toLowerCase() === field.name.toLowerCase())
        const value = key === undefined ? undefined : properties[key]
        if (field.required && !value) return [{ field: field.name, message: 'is required' }]
        if (field.type !== 'int' || value === undefined || /^\d+$/.test(value)) return []
        return [{ field: field.name, message: `must be a whole number, got ${value}` }]
      })
      if (issues.length > 0) return { issues }
      const known = new Set(full.map(({ name }) => name.toLowerCase()))
      return {
        value: { ...properties },
        unknown: Object.keys(properties).filter((name) => !known.has(name.toLowerCase())),
      }
    },
  }
}

export type Create = (context: ComponentContext<Record<string, string>>) => Promise<StateStore>

export function stateStore(close: () => Promise<void> = async () => {}): StateStore {
  return { capabilities: new Set(), close } as unknown as StateStore
}

export function stateDefinition(
  type: string,
  fields: FieldOptions[],
  create: Create = async () => stateStore(),
) {
  return defineStateStore<{ v1: Record<string, string>; v2: Record<string, string> }>({
    type,
    title: type,
    versions: {
      v1: { metadata: schema(...fields), capabilities: [], create },
      v2: { metadata: schema(...fields), capabilities: [], create },
    },
  })
}

export function secretDefinition(
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
  seen: string[] = [],
) {
  return defineSecretStore<{ v1: Record<string, string> }>({
    type: 'secretstores.test',
    title: 'test',
    versions: {
      v1: {
        metadata: schema({ name: 'token', sensitive: true }),
        capabilities: [],
        async create({ name, metadata }): Promise<SecretStore> {
          seen.push(`create ${name} ${metadata['token'] ?? ''}`)
          return {
            capabilities: new Set(),
            async get(request) {
              seen.push(`get ${request.name}`)
              if (request.name === 'broken')
                throw new ComponentError('PERMISSION_DENIED', `no entry for S3CRET`)
              return secrets[request.name]
            },
            bulkGet: async () => secrets,
            close: async () => void seen.push(`close ${name}`),
          }
        },
      },
    },
  })
}

export function yaml(name: string, type: string, rest = ''): string {
  return `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec:\n  type: ${type}\n${rest}`
}

interface Setup extends Partial<LoadOptions> {
  readonly env?: Record<string, string>
  readonly podName?: string
  readonly strictSandbox?: boolean
}

export async function setup(texts: readonly string[], options: Setup = {}) {
  const { resources, problems } = await readResources({
    paths: [],
    inline: [texts.join('\n---\n')],
    appId: 'app',
  })
  expect(problems).toEqual([])
  const logger = new TestLogger()
  const clock = new TestClock()
  const { env = {}, podName, strictSandbox, ...rest } = options
  const context = { appId: 'app', namespace: 'ns', podName, env, baseDirectory: '/base', strictSandbox }
  const all: LoadOptions = {
    resources: resources as ComponentResource[],
    searchFrom: ['/nowhere'],
    context,
    logger,
    clock,
    random: counting(),
    ...rest,
  }
  return { options: all, logger, clock }
}

export async function failureOf(texts: readonly string[], options: Setup = {}): Promise<readonly string[]> {
  const { options: all } = await setup(texts, options)
  const error: unknown = await loadComponents(all).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(LoadError)
  return (error as LoadError).lines
}
