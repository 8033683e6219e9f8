import { readDuration } from '@outrigger/host'
import type { ComponentResource, MetadataItem } from './model.ts'
import type { Section } from './section.ts'
import { textOf } from './yaml.ts'

/** How long `create` may take where a resource does not say. */
export const defaultInitTimeoutMs = 5000
const longestTimerMs = 2 ** 31 - 1

const specKeys = ['type', 'version', 'ignoreErrors', 'initTimeout', 'metadata']

/** `Component`, `dapr.io/v1alpha1`. */
export function readComponent(
  root: Section,
  common: Pick<ComponentResource, 'name' | 'namespace' | 'scopes' | 'annotations' | 'source'>,
): ComponentResource {
  root.known(['apiVersion', 'kind', 'metadata', 'spec', 'auth', 'scopes'], ['status'])
  const spec = root.section('spec')?.known(specKeys)
  return {
    kind: 'Component',
    ...common,
    type: spec?.text('type')?.trim().toLowerCase() ?? '',
    version: spec === undefined ? undefined : version(spec),
    ignoreErrors: spec?.bool('ignoreErrors') ?? false,
    initTimeoutMs: spec === undefined ? defaultInitTimeoutMs : initTimeout(spec),
    metadata: (spec?.sections('metadata') ?? []).map(readItem),
    secretStore: root.section('auth')?.known(['secretStore']).text('secretStore') || undefined,
  }
}

/** In Dapr v0 is another name of the first version. */
function version(spec: Section): string | undefined {
  const text = spec.text('version')?.trim().toLowerCase()
  return text === '' || text === 'v0' ? undefined : text
}

function initTimeout(spec: Section): number {
  const text = spec.text('initTimeout')
  if (text === undefined || text === '') return defaultInitTimeoutMs
  const read = readDuration(text)
  if (read !== undefined && read > 0) return Math.min(read, longestTimerMs)
  // Dapr takes its default as well.
  spec.report.add(
    'warn',
    spec.lineOf('initTimeout'),
    'spec.initTimeout',
    `is not a duration such as 5s or 1m30s: 5s is used`,
  )
  return defaultInitTimeoutMs
}

/** A value with a name, or where to take it from. */
export function readItem(item: Section): MetadataItem {
  item.known(['name', 'value', 'secretKeyRef', 'envRef'])
  const list = item.path.replace(/\[\d+\]$/, '')
  return readSource(item, item.required('name', `each item of ${list} has a name and a value`).trim())
}

/** The same for a map that has no name in it. */
export function readSource(item: Section, name: string): MetadataItem {
  const value = item.get('value')
  const reference = item.section('secretKeyRef')?.known(['name', 'key'])
  const secret =
    reference === undefined || !reference.has('name')
      ? undefined
      : reference.required('name', 'name the secret')
  if (reference !== undefined && secret === undefined && reference.has('key')) {
    reference.unusable('name', 'is missing: name the secret that has this key')
  }
  const envRef = item.text('envRef') || undefined
  const sources = [value !== undefined && textOf(value) !== '', secret !== undefined, envRef !== undefined]
  if (sources.filter(Boolean).length > 1) {
    const used = secret === undefined ? 'value' : 'secretKeyRef'
    item.report.add(
      'warn',
      item.line,
      item.path,
      `has more than one of value, secretKeyRef and envRef: ${used} is used`,
    )
  }
  return {
    name,
    value: value === undefined ? undefined : textOf(value),
    secretKeyRef: secret === undefined ? undefined : { name: secret, key: reference?.text('key') || secret },
    envRef,
    line: item.line,
  }
}
