export * from './model.ts'
export { type ReadOptions, readResources, type ReadResult } from './read.ts'
