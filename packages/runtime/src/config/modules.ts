import type { OtherResource } from '../resources/model.ts'
import { type Report, Unusable } from '../resources/section.ts'
import { isComponentType, isPackageName } from '../loader/names.ts'

const modulePrefix = 'modules.outrigger.dev/'
const scopesName = 'outrigger.dev/scopes'

/**
 * Annotations are the one place of a Configuration that Dapr, and Kubernetes, keep and do not read:
 * `modules.outrigger.dev/state.redis: '@acme/redis'` and `outrigger.dev/scopes: '@acme,@outrigger'`.
 */
export function readModules(
  resource: OtherResource,
  report: Report,
  part: { modules?: Readonly<Record<string, string>>; packageScopes?: readonly string[] },
): void {
  const modules: Record<string, string> = {}
  const { line } = resource.source
  const fail = (field: string, text: string): never => {
    report.add('fatal', line, `metadata.annotations["${field}"]`, text)
    throw new Unusable()
  }
  for (const [key, text] of Object.entries(resource.annotations)) {
    if (key === scopesName) {
      const scopes = text.split(',').map((scope) => scope.trim())
      const wrong = scopes.find((scope) => !/^@[a-z0-9~-][a-z0-9._~-]*$/.test(scope))
      if (wrong !== undefined) fail(key, `has "${wrong}", which is no package scope: write @name`)
      part.packageScopes = scopes
    }
    if (!key.startsWith(modulePrefix)) continue
    const type = key.slice(modulePrefix.length).toLowerCase()
    if (!isComponentType(type)) fail(key, `"${type}" is no component type: write one such as state.redis`)
    if (!isPackageName(text)) fail(key, `"${text}" is no package name: write one such as @acme/state-redis`)
    modules[type] = text
  }
  if (Object.keys(modules).length > 0) part.modules = modules
}
