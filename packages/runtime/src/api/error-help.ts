import type { ErrorId } from './errors.ts'

export interface ErrorHelp {
  readonly block: string
  readonly when: string
  readonly remedy: string
}

const help = (block: string, when: string, remedy: string): ErrorHelp => ({ block, when, remedy })
const load = (kind: string): string =>
  `Put a ${kind} into the resources folder and name the folder by --resources-path; the log says what was loaded.`
const names = (what: string): string =>
  `Use one of the names that GET /v1.0/metadata lists under components; the ${what} may be limited to other applications by scopes.`
const logged =
  'The message says why; the log of the sidecar has more. Mend the component or its server, and try again.'

/** What each error is about, for the documentation only: nothing of it is loaded to answer a request. */
export const errorHelp: Readonly<Record<ErrorId, ErrorHelp>> = {
  API_UNIMPLEMENTED: help('Common', 'The building block is not built yet.', 'The README says what is.'),
  BAD_REQUEST: help(
    'Common',
    'A header or field that is needed is missing or makes no sense.',
    'The message names it.',
  ),
  MALFORMED_REQUEST: help(
    'Common',
    'The body or a parameter cannot be read.',
    'The message names the place and what is expected there.',
  ),
  MALFORMED_REQUEST_DATA: help(
    'Common',
    'The data of a binding request cannot be read.',
    'Send JSON under "data".',
  ),
  BODY_READ: help(
    'Common',
    'The body did not arrive whole, or is larger than --max-body-size.',
    'Send less, or raise --max-body-size.',
  ),
  INTERNAL: help(
    'Common',
    'Something failed that nobody foresaw.',
    'The log of the sidecar has it. Please report it.',
  ),
  OVERLOADED: help(
    'Common',
    'As much is under way as there may be, or the sidecar is short of memory.',
    'Try again after the time in Retry-After, or raise the limit that the message names.',
  ),

  HEALTH_NOT_READY: help(
    'Health',
    'Something is not ready yet, or not any more.',
    'The message lists it; the log says why.',
  ),
  OUTBOUND_HEALTH_NOT_READY: help('Health', 'The components are not loaded yet.', 'Wait and ask again.'),
  HEALTH_APPID_NOT_MATCH: help(
    'Health',
    'Another application was asked for by ?appid=.',
    'Ask the sidecar of that application.',
  ),

  STATE_STORE_NOT_CONFIGURED: help('State', 'No state store is loaded.', load('state store')),
  STATE_STORE_NOT_FOUND: help('State', 'There is no state store of this name.', names('store')),
  STATE_ILLEGAL_KEY: help(
    'State',
    'A key contains "||", which separates keys from their prefix.',
    'Use another separator.',
  ),
  STATE_GET: help('State', 'The store failed to read.', logged),
  STATE_BULK_GET: help('State', 'The store failed to read several values.', logged),
  STATE_SAVE: help('State', 'The store failed to write.', logged),
  STATE_SAVE_ETAG_MISMATCH: help(
    'State',
    'The value was changed by somebody else meanwhile, or exists already with first-write.',
    'Read it again and decide anew.',
  ),
  STATE_SAVE_ETAG_INVALID: help(
    'State',
    'The ETag is none of this store.',
    'Send the ETag that a read returned, as it was.',
  ),
  STATE_DELETE: help('State', 'The store failed to delete.', logged),
  STATE_DELETE_ETAG_MISMATCH: help(
    'State',
    'The value was changed by somebody else meanwhile.',
    'Read it again and decide anew.',
  ),
  STATE_DELETE_ETAG_INVALID: help(
    'State',
    'The ETag is none of this store.',
    'Send the ETag that a read returned, as it was.',
  ),
  STATE_BULK_DELETE: help('State', 'The store failed to delete some of several values.', logged),
  STATE_BULK_DELETE_ETAG_MISMATCH: help(
    'State',
    'One of several values was changed by somebody else meanwhile.',
    'Read them again and decide anew.',
  ),
  STATE_BULK_DELETE_ETAG_INVALID: help(
    'State',
    'One of several ETags is none of this store.',
    'Send the ETags that a read returned, as they were.',
  ),
  STATE_TRANSACTION: help('State', 'The transaction failed; nothing of it was written.', logged),
  STATE_OPERATION_NOT_SUPPORTED: help(
    'State',
    'An operation of a transaction is neither upsert nor delete.',
    'Use one of these.',
  ),
  STATE_TRANSACTIONS_NOT_SUPPORTED: help(
    'State',
    'The store has no transactions.',
    'Use a store that has: its README says so.',
  ),
  STATE_QUERY: help('State', 'The query failed.', logged),
  STATE_QUERY_INVALID: help('State', 'The query cannot be read.', 'The message names the place.'),
  STATE_QUERY_NOT_SUPPORTED: help(
    'State',
    'The store has no queries.',
    'Use a store that has; state.redis has them with queryIndexes.',
  ),
  STATE_TOO_MANY_OPERATIONS: help(
    'State',
    'The transaction has more operations than the store takes at once.',
    'Split it; the details say how many are allowed.',
  ),

  PUBSUB_NOT_FOUND: help(
    'Publish and subscribe',
    'There is no pub/sub component of this name.',
    names('component'),
  ),
  PUBSUB_NOT_CONFIGURED: help(
    'Publish and subscribe',
    'In the catalogue of Dapr; never answered, there as here: see ERR_PUBSUB_NOT_FOUND.',
    load('pub/sub component'),
  ),
  PUBSUB_NAME_EMPTY: help(
    'Publish and subscribe',
    'No pub/sub component is named.',
    'POST /v1.0/publish/PUBSUB/TOPIC.',
  ),
  PUBSUB_TOPIC_EMPTY: help('Publish and subscribe', 'No topic is named.', 'POST /v1.0/publish/PUBSUB/TOPIC.'),
  PUBSUB_FORBIDDEN: help(
    'Publish and subscribe',
    'The scopes of the component do not let this application use the topic.',
    'See allowedTopics, protectedTopics, publishingScopes and subscriptionScopes of the component.',
  ),
  PUBSUB_METADATA: help(
    'Publish and subscribe',
    'A value of the metadata makes no sense.',
    'The message names it.',
  ),
  PUBSUB_CLOUD_EVENT: help(
    'Publish and subscribe',
    'The data is announced as a CloudEvent and is none.',
    'Send a JSON object with id, source, specversion and type, or another content type.',
  ),
  PUBSUB_EVENTS: help(
    'Publish and subscribe',
    'The events of a bulk request cannot be read.',
    'The message names the entry and what is wrong with it.',
  ),
  PUBSUB_ENTRIES: help(
    'Publish and subscribe',
    'An entry of a bulk request has no entryId, or that of another.',
    'Give each entry an id of its own.',
  ),
  PUBSUB_SUBSCRIBE: help('Publish and subscribe', 'The broker refused a subscription by stream.', logged),
  PUBSUB_PUBLISH: help('Publish and subscribe', 'The broker did not take the message.', logged),
  PUBLISH_OUTBOX: help(
    'State',
    'An event of a transaction could not be published, so nothing was saved.',
    logged,
  ),

  APP_CHANNEL_NIL: help(
    'Configuration',
    'There is no application to tell of changes.',
    'Start the sidecar with --app-port, or subscribe over gRPC.',
  ),
  DIRECT_INVOKE: help(
    'Service invocation',
    'The application could not be called.',
    'The message says why: it is not there, not healthy, or of another name.',
  ),
  DIRECT_INVOKE_DENIED: help(
    'Service invocation',
    'The other application does not let this one call it.',
    'Allow it in the accessControl section of the Configuration of the application that is called.',
  ),
  DIRECT_INVOKE_TIMEOUT: help(
    'Service invocation',
    'The application did not answer within the timeout of a policy.',
    'Raise the timeout in the Resiliency resource that names it.',
  ),
  DIRECT_INVOKE_NO_APP_ID: help(
    'Service invocation',
    'There is no such route, and nothing says which application is meant.',
    'Check path and method; to invoke, use /v1.0/invoke/APP/method/PATH or the header dapr-app-id.',
  ),
  INVOKE_OUTPUT_BINDING: help(
    'Bindings',
    'The binding is not there, does not know the operation, or failed.',
    'The message says which, and lists the operations.',
  ),

  SECRET_STORES_NOT_CONFIGURED: help('Secrets', 'No secret store is loaded.', load('secret store')),
  SECRET_STORE_NOT_FOUND: help('Secrets', 'There is no secret store of this name.', names('store')),
  SECRET_PERMISSION_DENIED: help(
    'Secrets',
    'A scope of the Configuration does not let this secret be read.',
    'See spec.secrets.scopes.',
  ),
  SECRET_GET: help('Secrets', 'The secret is not there, or the store failed.', logged),

  CONFIGURATION_STORE_NOT_CONFIGURED: help(
    'Configuration',
    'No configuration store is loaded.',
    load('configuration store'),
  ),
  CONFIGURATION_STORE_NOT_FOUND: help(
    'Configuration',
    'There is no configuration store of this name.',
    names('store'),
  ),
  CONFIGURATION_GET: help('Configuration', 'The store failed to read.', logged),
  CONFIGURATION_SUBSCRIBE: help('Configuration', 'The store cannot be watched.', logged),
  CONFIGURATION_UNSUBSCRIBE: help(
    'Configuration',
    'There is no such subscription.',
    'Use the id that subscribing returned.',
  ),

  LOCK_STORE_NOT_CONFIGURED: help('Lock', 'No lock store is loaded.', load('lock store')),
  LOCK_STORE_NOT_FOUND: help('Lock', 'There is no lock store of this name.', names('store')),
  TRY_LOCK: help('Lock', 'The store failed to lock.', logged),
  UNLOCK: help('Lock', 'The store failed to unlock.', logged),

  CRYPTO_PROVIDERS_NOT_CONFIGURED: help(
    'Cryptography',
    'No provider is loaded.',
    load('cryptography provider'),
  ),
  CRYPTO_PROVIDER_NOT_FOUND: help('Cryptography', 'There is no provider of this name.', names('provider')),
  CRYPTO_KEY: help(
    'Cryptography',
    'The key is not there or cannot be used for this.',
    'The message names the key; see the README of the provider.',
  ),
  CRYPTO: help(
    'Cryptography',
    'Encrypting or decrypting failed: the stream was changed, or is of another key.',
    'The message says what can be told without helping an attacker.',
  ),
}
