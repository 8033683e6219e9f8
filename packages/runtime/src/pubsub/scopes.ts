import type { PubSub } from '@outrigger/spec'
import type { Live } from '../components/live.ts'
import { metadataValue } from './metadata.ts'

/** Which topics of a component this application may use; compiled when the component was loaded. */
export interface TopicScopes {
  mayPublish(topic: string): boolean
  maySubscribe(topic: string): boolean
}

/**
 * Reads `allowedTopics`, `protectedTopics`, `publishingScopes` and `subscriptionScopes`. A topic must be allowed if
 * any are listed; a scope of the application lists all it may use; a protected topic always needs a scope.
 */
export function compileScopes(properties: Readonly<Record<string, string>>, appId: string): TopicScopes {
  const allowed = topics(metadataValue(properties, 'allowedTopics'))
  const secured = topics(metadataValue(properties, 'protectedTopics'))
  const publish = ofApp(metadataValue(properties, 'publishingScopes'), appId)
  const subscribe = ofApp(metadataValue(properties, 'subscriptionScopes'), appId)
  const may = (topic: string, scope: ReadonlySet<string>): boolean => {
    if (allowed.size > 0 && !allowed.has(topic)) return false
    if (scope.size === 0 && !secured.has(topic)) return true
    return scope.has(topic)
  }
  return { mayPublish: (topic) => may(topic, publish), maySubscribe: (topic) => may(topic, subscribe) }
}

/** `orders,payments` */
function topics(list: string | undefined): ReadonlySet<string> {
  const text = (list ?? '').replaceAll(' ', '')
  return new Set(text === '' ? [] : text.split(','))
}

/** `app1=orders,payments;app2=` : an application that is listed with nothing may use nothing. */
function ofApp(list: string | undefined, appId: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const part of (list ?? '').replaceAll(' ', '').split(';')) {
    const [app, names] = part.split('=')
    if (app !== appId || names === undefined) continue
    for (const name of names.split(',')) found.add(name)
  }
  return found
}

/** Whether the component's topics are kept apart by namespace: its metadata uses `{namespace}`. */
export function isNamespaced(live: Live<PubSub>): boolean {
  return live.resource.metadata.some((item) => item.value?.includes('{namespace}') === true)
}
