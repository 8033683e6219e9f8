import type { Clock, Logger } from '@outrigger/spec'
import { recordingLogger, seededRandom } from '@outrigger/testkit'
import { Resiliency } from '../../src/resiliency/provider.ts'
import { readResiliency } from '../../src/resiliency/read.ts'
import type { OtherResource, ResourceProblem } from '../../src/resources/model.ts'
import { readResources } from '../../src/resources/read.ts'

/** Reads Resiliency resources as the runtime of an application does. */
export async function resiliencyOf(texts: readonly string[], appId = 'app') {
  const { resources, problems: reading } = await readResources({ paths: [], inline: texts, appId })
  const problems: ResourceProblem[] = [...reading]
  const meant = resources.filter((resource): resource is OtherResource => resource.kind === 'Resiliency')
  return { model: readResiliency(meant, problems), problems }
}

/** A resource with this text below `spec:`, indented by two spaces or more. */
export function resiliencyText(spec: string, name = 'r', more = ''): string {
  return `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: ${name}\n${more}spec:\n${spec}`
}

/** Policies on virtual time. */
export async function policiesOf(spec: string, clock: Clock, logger: Logger = recordingLogger()) {
  const { model, problems } = await resiliencyOf([resiliencyText(spec)])
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'))
  return new Resiliency(model, { clock, random: seededRandom(1), logger })
}
