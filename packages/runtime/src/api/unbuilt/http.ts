import type { HttpRoute } from '../../server/router.ts'
import { ApiError } from '../api-error.ts'

const any = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const versions = ['v1.0', 'v1.0-alpha1', 'v1.0-alpha2', 'v1.0-beta1']

/** Building blocks whose routes are known and not built yet: they say so by name. */
const unbuilt: readonly (readonly [block: string, path: string])[] = [
  ...versions.flatMap((version) =>
    (
      [
        ['actors', 'actors'],
        ['workflow', 'workflows'],
        ['jobs', 'jobs'],
        ['conversation', 'conversation'],
      ] as const
    ).map(([block, segment]) => [block, `${version}/${segment}/*`] as const),
  ),
]

/** The routes of what is not built yet. */
export function unbuiltRoutes(): HttpRoute[] {
  return unbuilt.map(([block, path]) => ({
    name: 'Unimplemented',
    methods: any,
    path,
    handle() {
      throw new ApiError(
        'API_UNIMPLEMENTED',
        `the ${block} API is not available in this version of Outrigger yet`,
      )
    },
  }))
}
