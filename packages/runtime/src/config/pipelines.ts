import type { Source } from '../resources/model.ts'
import type { Section } from '../resources/section.ts'

/** One item of `spec.httpPipeline.handlers` or `spec.appHttpPipeline.handlers`. */
export interface PipelineHandler {
  /** Name of the component. */
  readonly name: string
  /** Lower-cased: `middleware.http.uppercase`. */
  readonly type: string
  /** `undefined` where none is named. */
  readonly version: string | undefined
  /** For messages: `Configuration "app"`, `spec.httpPipeline.handlers[0]` and where that is. */
  readonly subject: string
  readonly field: string
  readonly source: Source
}

interface Part {
  httpPipeline?: readonly PipelineHandler[]
  appHttpPipeline?: readonly PipelineHandler[]
}

/** More than anybody needs. */
const mostHandlers = 100

/** Reads both pipelines. */
export function readPipelines(spec: Section, file: string, part: Part): void {
  for (const name of ['httpPipeline', 'appHttpPipeline'] as const) {
    const section = spec.section(name)?.known(['handlers'])
    if (section?.has('handlers') !== true) continue
    if (section.list('handlers').length > mostHandlers)
      section.unusable('handlers', `has more than ${mostHandlers} items`)
    part[name] = section.sections('handlers').map((handler) => readHandler(handler, file))
  }
}

function readHandler(handler: Section, file: string): PipelineHandler {
  handler.known(['name', 'type', 'version', 'selector'])
  const selector = handler.section('selector')
  if (selector !== undefined && selector.tree.entries.size > 0) {
    // It protects nothing to run for more requests than were meant, and Dapr ignores it as well.
    const text = 'has no effect, as in Dapr: the handler runs for every request'
    handler.report.add('warn', handler.lineOf('selector'), selector.path, text)
  }
  const name = handler.required('name', 'name the component')
  const type = handler.required('type', 'such as middleware.http.uppercase').trim().toLowerCase()
  if (!type.startsWith('middleware.http.'))
    handler.unusable('type', `must begin with middleware.http., got "${type.slice(0, 80)}"`)
  return {
    name,
    type,
    version: handler.text('version')?.trim().toLowerCase() || undefined,
    subject: handler.report.subject ?? 'Configuration',
    field: handler.path,
    source: { file, line: handler.line },
  }
}
