import { Fields, type FieldsInit } from '@outrigger/wire'

/** Who calls, as far as a sidecar has said so: whose turn a call takes. Empty when nobody is named. */
export function callerOf(init: FieldsInit | undefined): string {
  if (init === undefined) return ''
  const fields = init instanceof Fields ? init : Fields.from(init)
  return fields.get('dapr-caller-app-id') ?? ''
}
