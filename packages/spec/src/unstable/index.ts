/**
 * Kinds that may still change: they move to the stable entry, as version 1 of their contract,
 * once the runtime calls them and two components implement them.
 */
export * from './conversation.ts'
export * from './workflow-backend.ts'
