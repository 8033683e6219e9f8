/** Helpers for authors of components. */
export * from './address.ts'
export * from './bytes.ts'
export * from './concurrency.ts'
export * from './dns.ts'
export * from './fields.ts'
export * from './parse.ts'
export * from './request-metadata.ts'
export * from './time.ts'
