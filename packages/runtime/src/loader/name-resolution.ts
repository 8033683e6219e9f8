import type { NameResolver } from '@outrigger/spec'
import type { LoadedComponent } from '../components/live.ts'
import type { NameResolutionSettings } from '../config/name-resolution.ts'
import { defaultInitTimeoutMs } from '../resources/component.ts'
import type { ComponentResource } from '../resources/model.ts'
import { loadComponents } from './load.ts'
import { resolveComponent } from './resolve.ts'
import type { LoadOptions } from './types.ts'

/** What standalone sidecars of Dapr find each other with. */
export const defaultResolver = 'mdns'

/**
 * Creates the name resolver that the Configuration names, or the default one where it names none.
 * @throws StartupError, or for a default whose package is not installed an error that says what to install
 */
export async function loadNameResolver(
  settings: NameResolutionSettings | undefined,
  options: Omit<LoadOptions, 'resources'>,
): Promise<LoadedComponent<NameResolver>> {
  const type = `nameresolution.${settings?.component ?? defaultResolver}`
  if (settings === undefined) await resolveComponent(type, options)
  const resource: ComponentResource = {
    kind: 'Component',
    name: 'nameresolution',
    namespace: undefined,
    type,
    version: settings?.version,
    ignoreErrors: false,
    initTimeoutMs: defaultInitTimeoutMs,
    metadata: settings?.configuration ?? [],
    secretStore: undefined,
    scopes: [],
    source: settings?.source ?? { file: '(default)', line: 1 },
  }
  const { loaded } = await loadComponents({ ...options, resources: [resource] })
  return loaded[0] as LoadedComponent<NameResolver>
}
