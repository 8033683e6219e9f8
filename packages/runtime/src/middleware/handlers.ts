import type { HttpMiddleware } from '@outrigger/spec'
import type { LoadedComponent } from '../components/live.ts'
import type { PipelineHandler } from '../config/pipelines.ts'
import { StartupError } from '../config/startup-error.ts'
import { isTypeOf } from '../loader/resolve.ts'
import { didYouMean } from '../resources/did-you-mean.ts'

/** The middleware of both pipelines, each in its order. */
export interface Handlers {
  /** Before the HTTP API. */
  readonly server: readonly HttpMiddleware[]
  /** Before an application that speaks HTTP. */
  readonly app: readonly HttpMiddleware[]
}

/**
 * Finds the components that the handlers name.
 * @throws StartupError with every handler whose component is not there: a pipeline with a hole does not protect
 */
export function findHandlers(
  pipelines: { readonly server: readonly PipelineHandler[]; readonly app: readonly PipelineHandler[] },
  components: readonly LoadedComponent[],
): Handlers {
  const problems: string[] = []
  const find = (handlers: readonly PipelineHandler[]): readonly HttpMiddleware[] =>
    handlers.flatMap((handler) => {
      const component = components.find(({ resource }) => resource.name === handler.name)
      const problem = problemOf(handler, component, components)
      if (problem === undefined) return [component!.instance as HttpMiddleware]
      const { file, line } = handler.source
      problems.push(`${file}:${line}: ${handler.subject}: ${handler.field} ${problem}`)
      return []
    })
  const found = { server: find(pipelines.server), app: find(pipelines.app) }
  if (problems.length > 0) throw new StartupError(problems)
  return found
}

function problemOf(
  { name, type, version }: PipelineHandler,
  component: LoadedComponent | undefined,
  components: readonly LoadedComponent[],
): string | undefined {
  if (component === undefined) {
    const names = components.filter(({ kind }) => kind === 'middleware').map(({ resource }) => resource.name)
    return `names the component "${name}", which was not loaded${didYouMean(name, names)}: add a Component of that name and of the type ${type}, or remove the handler`
  }
  if (!isTypeOf(component.definition, type)) {
    const own = component.definition.type
    return `names the component "${name}" with the type ${type}, and that one is a ${own}: correct one of them`
  }
  if (version !== undefined && version !== component.version) {
    return `names the component "${name}" with the version ${version}, and that one has ${component.version}: correct one of them`
  }
  return undefined
}
