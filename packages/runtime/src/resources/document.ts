import { readComponent } from './component.ts'
import type { OtherResource, Resource, ResourceProblem } from './model.ts'
import { didYouMean } from './did-you-mean.ts'
import { readHttpEndpoint } from './http-endpoint.ts'
import { Report, Section, Unusable } from './section.ts'
import { readSubscription } from './subscription.ts'
import type { ParsedDocument } from './yaml.ts'

const otherKinds: readonly OtherResource['kind'][] = [
  'Configuration',
  'Resiliency',
  'MCPServer',
  'WorkflowAccessPolicy',
]
const kinds = ['Component', 'Subscription', 'HTTPEndpoint', ...otherKinds]
const metadataKeys = ['name', 'namespace', 'labels', 'annotations']
/** What a cluster adds when a resource is read back from it. */
const clusterKeys = [
  'creationTimestamp',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
]

/** Reads one document. @returns `undefined` when it is no resource, or none that can be used; `problems` says which */
export function readDocument(
  document: ParsedDocument,
  file: string,
  problems: ResourceProblem[],
  /** The kind of a document that names none: files of `--config` may leave it out. */
  defaultKind?: OtherResource['kind'],
): Resource | undefined {
  const report = new Report(file, problems)
  if ('fault' in document) {
    const { line, column, message } = document.fault
    report.add('skip', line, undefined, `(column ${column}) ${message}; this document is left out`)
    return undefined
  }
  for (const { key, line } of document.duplicates)
    report.add('warn', line, key, 'is there twice in one map: the last one counts')
  const { tree } = document
  if (tree.kind !== 'map') {
    report.add('skip', tree.line, undefined, 'is no resource: a document begins with apiVersion and kind')
    return undefined
  }
  try {
    return readRoot(new Section(tree, '', report), file, defaultKind)
  } catch (error) {
    if (error instanceof Unusable) return undefined
    throw error
  }
}

function readRoot(root: Section, file: string, defaultKind?: OtherResource['kind']): Resource | undefined {
  const { report } = root
  const kind = root.text('kind') ?? defaultKind
  const apiVersion = root.text('apiVersion') ?? (defaultKind === undefined ? '' : 'dapr.io/v1alpha1')
  const [group, version] = apiVersion.split('/')
  if (kind === undefined) {
    report.add('skip', root.line, 'kind', 'is missing: write kind: Component, or the kind that is meant')
    return undefined
  }
  const ours = kinds.includes(kind)
  const versions = kind === 'Subscription' ? ['v1alpha1', 'v2alpha1'] : ['v1alpha1']
  if (!ours || group !== 'dapr.io' || !versions.includes(version ?? '')) {
    skipForeign(root, kind, apiVersion, ours, versions)
    return undefined
  }
  const metadata = root.section('metadata')?.known(metadataKeys, clusterKeys)
  report.subject = kind
  const fallbackName = kind === defaultKind ? 'config' : undefined
  const name = metadata?.text('name') || fallbackName
  if (metadata === undefined && name === undefined)
    return root.unusable('metadata', 'is missing: write metadata: {name: ...}')
  if (name === undefined) return metadata?.unusable('name', 'is missing: every resource has a name')
  report.subject = `${kind} "${name}"`
  const annotations = metadata?.textMap('annotations') ?? {}
  const common = {
    name,
    namespace: metadata?.text('namespace') || undefined,
    scopes: root.texts('scopes'),
    source: { file, line: root.line },
  }
  if (kind === 'Component') return readComponent(root, { ...common, annotations })
  if (kind === 'Subscription') return readSubscription(root, version ?? '', common)
  if (kind === 'HTTPEndpoint') return readHttpEndpoint(root, common)
  root.known(['apiVersion', 'kind', 'metadata', 'spec', 'scopes'], ['status', 'auth'])
  const spec = root.section('spec')
  return {
    kind: kind as OtherResource['kind'],
    ...common,
    annotations,
    spec: spec?.tree ?? { kind: 'map', entries: new Map(), line: root.line },
  }
}

/** Folders may hold other things, which is nothing to warn of; a kind of ours that is misspelt is. */
function skipForeign(
  root: Section,
  kind: string,
  apiVersion: string,
  ours: boolean,
  versions: readonly string[],
): void {
  if (ours) {
    const wanted = versions.map((version) => `dapr.io/${version}`).join(' or ')
    root.report.add(
      'skip',
      root.lineOf('apiVersion'),
      'apiVersion',
      `of a ${kind} must be ${wanted}; this document is left out`,
    )
    return
  }
  const severity = apiVersion.startsWith('dapr.io/') ? 'skip' : 'debug'
  root.report.add(
    severity,
    root.lineOf('kind'),
    'kind',
    `"${kind}" is not one that is known here${didYouMean(kind, kinds)}; this document is left out`,
  )
}
