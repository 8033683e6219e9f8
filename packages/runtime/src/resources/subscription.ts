import type { RouteRule, SubscriptionResource } from './model.ts'
import type { Section } from './section.ts'

const defaultBulkMessages = 100
const defaultBulkWaitMs = 1000

/** `Subscription`, `dapr.io/v1alpha1` (one `route`) and `dapr.io/v2alpha1` (`routes` with rules). */
export function readSubscription(
  root: Section,
  version: string,
  common: Pick<SubscriptionResource, 'name' | 'namespace' | 'scopes' | 'source'>,
): SubscriptionResource {
  root.known(['apiVersion', 'kind', 'metadata', 'spec', 'scopes'], ['status'])
  const spec = root.section('spec')
  if (spec === undefined)
    return root.unusable('spec', 'is missing: a subscription needs spec.pubsubname and spec.topic')
  const first = version === 'v1alpha1'
  spec.known(
    ['pubsubname', 'topic', first ? 'route' : 'routes', 'metadata', 'deadLetterTopic', 'bulkSubscribe'],
    ['route', 'routes'],
  )
  const other = first ? 'routes' : 'route'
  if (spec.has(other)) {
    const advice = first ? 'write apiVersion: dapr.io/v2alpha1' : 'write routes: {default: PATH}'
    spec.report.add('warn', spec.lineOf(other), `spec.${other}`, `has no effect in ${version}: ${advice}`)
  }
  const routes = first ? undefined : spec.section('routes')?.known(['rules', 'default'])
  return {
    kind: 'Subscription',
    ...common,
    // Early versions had only one; whether it may be missing is decided where the components are known.
    pubsubName: spec.text('pubsubname') ?? '',
    topic: spec.required('topic', 'name the topic'),
    rules: (routes?.sections('rules') ?? []).flatMap(readRule),
    defaultPath: (first ? spec.text('route') : routes?.text('default')) || undefined,
    metadata: spec.textMap('metadata'),
    deadLetterTopic: spec.text('deadLetterTopic') || undefined,
    bulk: readBulk(spec),
  }
}

function readRule(rule: Section): readonly RouteRule[] {
  rule.known(['match', 'path'])
  const path = rule.text('path') || undefined
  if (path === undefined) rule.unusable('path', 'is missing: each rule names the path that its events go to')
  return path === undefined ? [] : [{ match: rule.text('match') ?? '', path }]
}

function readBulk(spec: Section): SubscriptionResource['bulk'] {
  const bulk = spec.section('bulkSubscribe')?.known(['enabled', 'maxMessagesCount', 'maxAwaitDurationMs'])
  if (bulk === undefined || bulk.bool('enabled') !== true) return undefined
  return {
    maxMessages: bulk.count('maxMessagesCount') ?? defaultBulkMessages,
    maxWaitMs: bulk.count('maxAwaitDurationMs') ?? defaultBulkWaitMs,
  }
}
