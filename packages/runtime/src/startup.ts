import type { Clock, Logger, Random, NameResolver } from '@outrigger/spec'
import type { LoadedComponent } from './components/live.ts'
import { readConfiguration, type Configuration } from './config/configuration.ts'
import type { RuntimeOptions } from './config/options.ts'
import { StartupError } from './config/startup-error.ts'
import type { EndpointSettings } from './invoke/endpoints.ts'
import { loadEndpoints, type EndpointTools } from './loader/http-endpoints.ts'
import { loadComponents, unloadComponents } from './loader/load.ts'
import { loadNameResolver } from './loader/name-resolution.ts'
import type { ResiliencyModel } from './resiliency/model.ts'
import { readResiliency } from './resiliency/read.ts'
import type {
  ComponentResource,
  HttpEndpointResource,
  OtherResource,
  Resource,
  ResourceProblem,
  SubscriptionResource,
} from './resources/model.ts'
import { readResources } from './resources/read.ts'
import type { Surroundings } from './runtime.ts'

/** What was read and created before anything is served. */
export interface Loaded {
  readonly configuration: Configuration
  readonly components: readonly LoadedComponent[]
  readonly subscriptions: readonly SubscriptionResource[]
  readonly resiliency: ResiliencyModel
  readonly endpoints: readonly EndpointSettings[]
  /** Creates what applications are found with. @throws StartupError */
  readonly nameResolver: () => Promise<LoadedComponent<NameResolver>>
}

interface Tools {
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/**
 * Reads configuration and resources and creates the components.
 * @throws StartupError with everything that is wrong
 */
export async function load(options: RuntimeOptions, around: Surroundings, tools: Tools): Promise<Loaded> {
  const { logger, clock, random, signal } = tools
  const env = around.env ?? {}
  const { configuration, problems: configProblems } = await readConfiguration(options.configPaths, env)
  const { resources, problems } = await readResources({
    paths: options.resourcesPaths,
    inline: around.resources,
    appId: options.appId,
    namespace: options.resourceNamespace,
  })
  const policyProblems: ResourceProblem[] = []
  const policies = resources.filter((found): found is OtherResource => found.kind === 'Resiliency')
  const resiliency = readResiliency(policies, policyProblems)
  const fatal = report([...configProblems, ...problems, ...policyProblems], logger)
  if (fatal.length > 0) throw new StartupError(fatal)
  const baseDirectory = process.cwd()
  const components = resources.filter(
    (resource): resource is ComponentResource => resource.kind === 'Component',
  )
  const common = {
    definitions: around.definitions,
    searchFrom: [baseDirectory, ...options.resourcesPaths, ...options.modulesPaths],
    scopes: configuration.packageScopes,
    modules: configuration.modules,
    denied: configuration.deniedComponents,
    context: {
      appId: options.appId,
      namespace: options.namespace,
      podName: options.podName,
      env,
      baseDirectory,
      strictSandbox: configuration.strictSandbox,
    },
    logger,
    clock,
    random,
  }
  const { loaded } = await loadComponents({ ...common, resources: components, signal })
  const nameResolver = (): Promise<LoadedComponent<NameResolver>> =>
    loadNameResolver(configuration.nameResolution, common)
  const { context } = common
  const endpoints = await endpointsOf(resources, { context, random, signal, logger, components: loaded })
  const subscriptions = resources.filter(
    (resource): resource is SubscriptionResource => resource.kind === 'Subscription',
  )
  return { configuration, components: loaded, subscriptions, resiliency, endpoints, nameResolver }
}

/** Components that were created are closed when it fails. */
async function endpointsOf(
  resources: readonly Resource[],
  tools: EndpointTools,
): Promise<readonly EndpointSettings[]> {
  const named = resources.filter((found): found is HttpEndpointResource => found.kind === 'HTTPEndpoint')
  try {
    return await loadEndpoints(named, tools)
  } catch (error) {
    await unloadComponents(tools.components, tools)
    throw error
  }
}

/** Closes the components, the last one first. */
export function unload(loaded: Loaded, logger: Logger): Promise<void> {
  return unloadComponents(loaded.components, { logger })
}

/** What does not stop the start goes to the log; what does is returned, all of it together. */
function report(problems: readonly ResourceProblem[], logger: Logger): readonly string[] {
  for (const { severity, message } of problems) {
    if (severity === 'debug') logger.debug(message)
    else if (severity === 'warn') logger.warn(message)
    // As in Dapr, a document that cannot be read is left out; whoever wrote it must see that.
    else if (severity === 'skip') logger.error(message)
  }
  return problems.filter((problem) => problem.severity === 'fatal').map((problem) => problem.message)
}
