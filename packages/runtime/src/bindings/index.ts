export { createInputBindings } from './input.ts'
export { BindingProblem, invokeBinding } from './output.ts'
export type { BindingProblemKind } from './output.ts'
export type { InputBindings, InputBindingsOptions } from './types.ts'
