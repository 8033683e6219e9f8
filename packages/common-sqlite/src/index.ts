/** A database file on node:sqlite that never blocks the event loop for a lock, and commits writes in groups. */
export { Database, type DatabaseOptions, type WriteOptions } from './database.ts'
export { databaseError, isBusy, isConstraint } from './errors.ts'
export { databaseFields } from './fields.ts'
export { quoteIdentifier } from './identifier.ts'
export { openDatabase, type DatabaseContext } from './open.ts'
