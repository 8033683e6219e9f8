import type { Transport } from '../transport.ts'
import type { Settings } from '../settings.ts'
import { httpBindings, httpLock, httpMetadata, httpPubSub, httpSecrets } from './blocks.ts'
import { HttpCaller } from './caller.ts'
import { httpConfiguration, type ConfigurationUpdates } from './configuration.ts'
import { httpState } from './state.ts'
import { httpCrypto, httpInvoke } from './streams.ts'

/** Speaks the HTTP API. */
export function httpTransport(settings: Settings, updates: ConfigurationUpdates | undefined): Transport {
  const caller = new HttpCaller(settings)
  return {
    name: 'http',
    state: httpState(caller),
    pubsub: httpPubSub(caller),
    bindings: httpBindings(caller),
    secrets: httpSecrets(caller),
    configuration: httpConfiguration(caller, updates),
    lock: httpLock(caller),
    crypto: httpCrypto(caller),
    invoke: httpInvoke(caller),
    metadata: httpMetadata(caller),
    async health(outbound, options) {
      await caller.call(
        { method: 'GET', path: outbound ? '/v1.0/healthz/outbound' : '/v1.0/healthz' },
        options,
      )
    },
    async shutdown(force, options) {
      const fields = force ? ['dapr-force-shutdown', 'true'] : []
      await caller.call({ method: 'POST', path: '/v1.0/shutdown', fields }, options)
    },
    close: () => caller.close(),
  }
}
