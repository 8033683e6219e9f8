import {
  bindingsContract,
  type ComponentDefinition,
  type ComponentVersion,
  configurationContract,
  cryptoContract,
  type LiveComponent,
  lockContract,
  pubsubContract,
  secretStoreContract,
  stateContract,
  middlewareHttpContract,
  nameResolutionContract,
} from '@outrigger/spec'
import type { Kind } from '../components/live.ts'
import { didYouMean } from '../resources/did-you-mean.ts'
import { importDefault } from './import.ts'
import { isTypeOf, LoadProblem, type Resolution, resolveComponent } from './resolve.ts'
import type { ResolveOptions } from './types.ts'

/** The contract that this runtime speaks with each kind. */
const contracts: Readonly<Record<Kind, string>> = {
  state: stateContract,
  pubsub: pubsubContract,
  bindings: bindingsContract,
  secretstores: secretStoreContract,
  configuration: configurationContract,
  lock: lockContract,
  crypto: cryptoContract,
  middleware: middlewareHttpContract,
  nameresolution: nameResolutionContract,
}

/** Kinds of component that Dapr has and that are not built yet. */
const unbuilt: Readonly<Record<string, string>> = {
  conversation: 'conversation components',
  workflowbackend: 'workflows',
}

export const missingType = 'spec.type is missing: name the component type, such as state.redis'

/** The kind that a type begins with. @throws LoadProblem when there is none, or none yet */
export function kindOf(type: string): Kind {
  if (type === '') throw new LoadProblem(missingType)
  const prefix = type.split('.', 1)[0] ?? ''
  if (Object.hasOwn(contracts, prefix)) return prefix as Kind
  if (Object.hasOwn(unbuilt, prefix)) {
    throw new LoadProblem(
      `spec.type ${type} is not built yet (${unbuilt[prefix]}): remove the component, or set spec.ignoreErrors: true to start without`,
    )
  }
  const known = Object.keys(contracts)
  throw new LoadProblem(
    `spec.type "${type.slice(0, 80)}" begins with no known kind${didYouMean(prefix, known)}: ${known.join('., ')}.`,
  )
}

/** Finds, imports and checks the definition of a type. @throws LoadProblem */
export async function loadDefinition(type: string, options: ResolveOptions): Promise<ComponentDefinition> {
  const kind = kindOf(type)
  const resolution = await resolveComponent(type, options)
  if ('definition' in resolution) return check(resolution.definition, type, kind, 'the given definition')
  return check(await importFrom(resolution), type, kind, `the package ${resolution.packageName}`)
}

async function importFrom({ packageName, file }: Extract<Resolution, { file: string }>): Promise<unknown> {
  try {
    return await importDefault(file)
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
    throw new LoadProblem(
      `the package ${packageName} cannot be imported: ${reason} (${file}): install it again`,
      {
        cause: error,
      },
    )
  }
}

function check(value: unknown, type: string, kind: Kind, from: string): ComponentDefinition {
  const definition = value as Partial<ComponentDefinition> | null | undefined
  if (typeof definition !== 'object' || definition === null || typeof definition.contract !== 'string') {
    throw new LoadProblem(`${from} is no component: its default export is not what a define function returns`)
  }
  const { contract } = definition
  if (contract !== contracts[kind]) {
    const [theirs, number] = contract.split('/')
    const [ours, spoken] = contracts[kind].split('/')
    const newer = theirs === ours && Number(number) > Number(spoken)
    const advice = newer
      ? 'update @outrigger/runtime, or install an older version of the package'
      : 'install another version of the package'
    throw new LoadProblem(
      `${from} speaks the contract "${contract}" and this runtime "${contracts[kind]}": ${advice}`,
    )
  }
  if (typeof definition.type !== 'string' || !isTypeOf(definition as ComponentDefinition, type)) {
    throw new LoadProblem(
      `${from} is ${String(definition.type)}, not ${type}: correct spec.type, or the map of packages`,
    )
  }
  if (typeof definition.versions !== 'object' || Object.keys(definition.versions ?? {}).length === 0) {
    throw new LoadProblem(`${from} has no versions: install another version of the package`)
  }
  return definition as ComponentDefinition
}

export interface PickedVersion {
  readonly name: string
  // oxlint-disable-next-line typescript/no-explicit-any -- each version has metadata of its own
  readonly version: ComponentVersion<any, string, LiveComponent>
}

/** The version that a resource names, or the first. @throws LoadProblem with all versions */
export function pickVersion(definition: ComponentDefinition, wanted: string | undefined): PickedVersion {
  const names = Object.keys(definition.versions)
  const name = wanted ?? names[0]!
  const version = Object.hasOwn(definition.versions, name) ? definition.versions[name] : undefined
  if (version !== undefined) return { name, version }
  throw new LoadProblem(
    `spec.version "${name.slice(0, 40)}" is not one that ${definition.type} has: ${names.join(', ')}`,
  )
}
