export * from './configuration.ts'
export { flags } from './flags.ts'
export * from './options.ts'
export { StartupError } from './startup-error.ts'
