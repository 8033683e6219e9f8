import { PubsubSubscriptionType } from '@outrigger/proto/runtime'
import type { BindingsPort } from '../sections/bindings.ts'
import type { CryptoPort } from '../sections/crypto.ts'
import { unlockResult, type LockPort } from '../sections/lock.ts'
import type { MetadataPort } from '../sections/metadata.ts'
import type { PubSubPort } from '../sections/pubsub.ts'
import type { SecretsPort } from '../sections/secrets.ts'
import { remembering } from '../remembering.ts'
import { bytesOf } from '../values.ts'
import type { GrpcCaller } from './caller.ts'

export function grpcPubSub(caller: GrpcCaller): PubSubPort {
  return {
    async publish(pubsubName, topic, { data, contentType, metadata }, options) {
      const request = { pubsubName, topic, data, dataContentType: contentType, metadata: { ...metadata } }
      await caller.call((dapr, rest) => dapr.publishEvent(request, rest), options)
    },
    async publishBulk(pubsubName, topic, entries, options) {
      const request = {
        pubsubName,
        topic,
        entries: entries.map(({ entryId, data, contentType, metadata }) => ({
          entryId,
          event: data,
          contentType,
          metadata: { ...metadata },
        })),
        metadata: { ...options.metadata },
      }
      const { failedEntries } = await caller.call(
        (dapr, rest) => dapr.bulkPublishEventAlpha1(request, rest),
        options,
      )
      return { failed: failedEntries.map(({ entryId, error }) => ({ entryId, error })) }
    },
  }
}

export function grpcBindings(caller: GrpcCaller): BindingsPort {
  return {
    async invoke(name, operation, payload, options) {
      const data = payload === undefined ? new Uint8Array(0) : bytesOf(payload)
      const request = { name, operation, data, metadata: { ...options.metadata } }
      const answer = await caller.call((dapr, rest) => dapr.invokeBinding(request, rest), options)
      return { bytes: answer.data, metadata: Object.entries(answer.metadata) }
    },
  }
}

export function grpcSecrets(caller: GrpcCaller): SecretsPort {
  return {
    async get(storeName, key, options) {
      const request = { storeName, key, metadata: { ...options.metadata } }
      return (await caller.call((dapr, rest) => dapr.getSecret(request, rest), options)).data
    },
    async getBulk(storeName, options) {
      const request = { storeName, metadata: { ...options.metadata } }
      const { data } = await caller.call((dapr, rest) => dapr.getBulkSecret(request, rest), options)
      return Object.fromEntries(Object.entries(data).map(([name, { secrets }]) => [name, secrets]))
    },
  }
}

export function grpcLock(caller: GrpcCaller): LockPort {
  return {
    async tryLock(storeName, { resourceId, owner, expirySeconds }, options) {
      const request = { storeName, resourceId, lockOwner: owner, expiryInSeconds: expirySeconds }
      return (await caller.call((dapr, rest) => dapr.tryLockAlpha1(request, rest), options)).success
    },
    async unlock(storeName, { resourceId, owner }, options) {
      const request = { storeName, resourceId, lockOwner: owner }
      return unlockResult(
        (await caller.call((dapr, rest) => dapr.unlockAlpha1(request, rest), options)).status,
      )
    },
  }
}

/** Bytes of one message. */
const pieceBytes = 64 * 1024
const nothing = new Uint8Array(0)

export function grpcCrypto(caller: GrpcCaller): CryptoPort {
  return {
    async *encrypt(componentName, data, options) {
      const { keyName, keyWrapAlgorithm, dataEncryptionCipher, omitDecryptionKeyName, decryptionKeyName } =
        options
      const first = {
        componentName,
        keyName,
        keyWrapAlgorithm,
        dataEncryptionCipher: dataEncryptionCipher ?? '',
        omitDecryptionKeyName: omitDecryptionKeyName ?? false,
        decryptionKeyName: decryptionKeyName ?? '',
      }
      yield* payloads(data, (source) =>
        caller.stream((dapr, rest) => dapr.encryptAlpha1(messages(first, source), rest), options),
      )
    },
    async *decrypt(componentName, data, options) {
      const first = { componentName, keyName: options.keyName ?? '' }
      yield* payloads(data, (source) =>
        caller.stream((dapr, rest) => dapr.decryptAlpha1(messages(first, source), rest), options),
      )
    },
  }
}

type Answers = AsyncIterable<{ readonly payload?: { readonly data: Uint8Array } | undefined }>

/** The options stand in the first message only; pieces count from 0. */
async function* messages<O>(
  first: O,
  data: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ options?: O; payload: { data: Uint8Array; seq: bigint } }> {
  let seq = 0n
  let options: O | undefined = first
  for await (const chunk of data) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const payload = { data: chunk.subarray(at, at + pieceBytes), seq: seq++ }
      yield options === undefined ? { payload } : { options, payload }
      options = undefined
    }
  }
  if (options !== undefined) yield { options, payload: { data: nothing, seq } }
}

async function* payloads(
  data: AsyncIterable<Uint8Array>,
  work: (source: AsyncIterable<Uint8Array>) => Answers,
): AsyncGenerator<Uint8Array, void> {
  const source = remembering(data)
  try {
    for await (const { payload } of work(source.data))
      if (payload !== undefined && payload.data.length > 0) yield payload.data
  } catch (error) {
    throw source.failure() ?? error
  }
}

const typeNames = new Map<number, string>(
  Object.entries(PubsubSubscriptionType).map(([name, value]) => [value, name]),
)

export function grpcMetadata(caller: GrpcCaller): MetadataPort {
  return {
    async get(options) {
      const answer = await caller.call((dapr, rest) => dapr.getMetadata({}, rest), options)
      return {
        appId: answer.id,
        runtimeVersion: answer.runtimeVersion,
        enabledFeatures: answer.enabledFeatures,
        components: answer.registeredComponents.map(({ name, type, version, capabilities }) => ({
          name,
          type,
          version,
          capabilities,
        })),
        subscriptions: answer.subscriptions.map(
          ({ pubsubName, topic, metadata, rules, deadLetterTopic, type }) => ({
            pubsubName,
            topic,
            metadata,
            rules: (rules?.rules ?? []).map(({ match, path }) => ({ match, path })),
            deadLetterTopic: deadLetterTopic || undefined,
            type: typeNames.get(type) ?? 'UNKNOWN',
          }),
        ),
        extended: answer.extendedMetadata,
      }
    },
    async set(key, value, options) {
      await caller.call((dapr, rest) => dapr.setMetadata({ key, value }, rest), options)
    },
  }
}
