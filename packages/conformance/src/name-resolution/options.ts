import type { Instance, Registration } from '@outrigger/spec'
import type { SuiteOptions } from '../fixture.ts'

/** What the name resolution suite can be told. */
export interface NameResolutionSuiteOptions extends SuiteOptions {
  /** Applications that are there without being registered, and their instances. */
  readonly known?: Readonly<Record<string, readonly Instance[]>> | undefined
  /** It makes an address of any id, so that no id is unknown. */
  readonly answersAll?: boolean | undefined
  /** Says why applications of different namespaces are not kept apart. */
  readonly ignoresNamespace?: string | undefined
  /** Instances are known within one instance of the resolver only, so a second one does not see them. */
  readonly withinInstance?: boolean | undefined
  /** More of every registration: ports that the resolver needs. */
  readonly registration?: Partial<Registration> | undefined
}
