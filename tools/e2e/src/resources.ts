import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ComponentText {
  readonly version?: string
  readonly metadata?: Readonly<
    Record<string, string | number | boolean | { readonly secret: string; readonly key?: string }>
  >
  readonly secretStore?: string
  readonly ignoreErrors?: boolean
  readonly scopes?: readonly string[]
}

/** The YAML of a Component. */
export function component(name: string, type: string, text: ComponentText = {}): string {
  const lines = [
    'apiVersion: dapr.io/v1alpha1',
    'kind: Component',
    'metadata:',
    `  name: ${name}`,
    'spec:',
    `  type: ${type}`,
  ]
  lines.push(`  version: ${text.version ?? 'v1'}`)
  if (text.ignoreErrors === true) lines.push('  ignoreErrors: true')
  if (text.metadata !== undefined) lines.push('  metadata:')
  for (const [field, value] of Object.entries(text.metadata ?? {})) {
    lines.push(`    - name: ${field}`)
    if (typeof value === 'object') {
      lines.push(
        '      secretKeyRef:',
        `        name: ${value.secret}`,
        `        key: ${value.key ?? value.secret}`,
      )
    } else {
      lines.push(`      value: ${JSON.stringify(String(value))}`)
    }
  }
  if (text.secretStore !== undefined) lines.push('auth:', `  secretStore: ${text.secretStore}`)
  if (text.scopes !== undefined) lines.push('scopes:', ...text.scopes.map((scope) => `  - ${scope}`))
  return `${lines.join('\n')}\n`
}

export interface SubscriptionText {
  readonly pubsub: string
  readonly topic: string
  readonly route: string
  readonly deadLetterTopic?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The YAML of a Subscription, v1alpha1. */
export function subscription(name: string, text: SubscriptionText): string {
  const lines = [
    'apiVersion: dapr.io/v1alpha1',
    'kind: Subscription',
    'metadata:',
    `  name: ${name}`,
    'spec:',
  ]
  lines.push(`  pubsubname: ${text.pubsub}`, `  topic: ${text.topic}`, `  route: ${text.route}`)
  if (text.deadLetterTopic !== undefined) lines.push(`  deadLetterTopic: ${text.deadLetterTopic}`)
  if (text.metadata !== undefined) {
    lines.push('  metadata:')
    for (const [key, value] of Object.entries(text.metadata))
      lines.push(`    ${key}: ${JSON.stringify(value)}`)
  }
  return `${lines.join('\n')}\n`
}

/** Writes resources into a folder, one document after the other in one file, or the files that are named. */
export async function writeResources(folder: string, resources: ResourcesText): Promise<void> {
  await mkdir(folder, { recursive: true })
  const files =
    typeof resources === 'string'
      ? { 'resources.yaml': resources }
      : Array.isArray(resources)
        ? { 'resources.yaml': (resources as readonly string[]).join('---\n') }
        : (resources as Readonly<Record<string, string>>)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}

/** One YAML text, several documents, or files by their names. */
export type ResourcesText = string | readonly string[] | Readonly<Record<string, string>>
