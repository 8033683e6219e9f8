import type { Resource, ResourceProblem } from './model.ts'

/** Kinds of resource that are read and kept, and whose part of the runtime is not built yet. */
const unbuilt: Readonly<Partial<Record<Resource['kind'], string>>> = {
  MCPServer: 'MCP servers are not built yet: its tools are not there',
  WorkflowAccessPolicy: 'workflows are not built yet: there is none to protect',
}

/** One clear line for every resource that asks for what is not built yet. Components are the loader's. */
export function unbuiltProblems(resources: readonly Resource[]): ResourceProblem[] {
  return resources.flatMap(({ kind, name, source }): ResourceProblem[] => {
    const resource = `${kind} "${name}"`
    const place = `${source.file}:${source.line}: ${resource}`
    if (kind === 'Configuration') {
      const message = `${place}: a Configuration counts only when it is named by --config`
      return [{ source, resource, field: undefined, message, severity: 'debug' }]
    }
    const text = unbuilt[kind]
    if (text === undefined) return []
    return [{ source, resource, field: 'kind', message: `${place}: ${text}`, severity: 'warn' }]
  })
}
