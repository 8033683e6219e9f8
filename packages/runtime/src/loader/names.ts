const typePattern = /^[a-z0-9]+(?:[.-][a-z0-9]+)+$/
const packagePattern = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/** Whether a lower-case text may be a component type, and so become part of a package name. */
export function isComponentType(text: string): boolean {
  return text.length <= 200 && typePattern.test(text)
}

/** Whether a text is a name that the npm registry would take: no path, no URL. */
export function isPackageName(text: string): boolean {
  return text.length <= 214 && packagePattern.test(text)
}

/** Names under which components were known, or are known as well, by kind. Packages are named after the right side. */
const aliases: Readonly<Record<string, string>> = {
  'configuration.postgres': 'configuration.postgresql',
  'nameresolution.consul': 'nameresolution.hashicorp.consul',
  'pubsub.azure.servicebus': 'pubsub.azure.servicebus.topics',
  'pubsub.azure.servicebusqueues': 'pubsub.azure.servicebus.queues',
  'pubsub.mqtt': 'pubsub.mqtt3',
  'pubsub.snssqs': 'pubsub.aws.snssqs',
  'state.consul': 'state.hashicorp.consul',
  'state.postgres': 'state.postgresql',
  'state.sqlite3': 'state.sqlite',
  'state.yugabyte': 'state.yugabytedb',
}

/** The type after which the package of a component is named: `state.postgres` is in `state-postgresql`. */
export function canonicalType(type: string): string {
  return aliases[type] ?? type
}
