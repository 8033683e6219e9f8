/** Suites of tests that the components of each kind must pass. They need vitest. */
export * from './create.ts'
export { Fixture, type InstanceOptions, type SuiteOptions } from './fixture.ts'
export * from './suite.ts'
export * from './system.ts'
export { type StateSuiteOptions } from './state/options.ts'
export * from './state/suite.ts'
export { type PubSubSuiteOptions } from './pubsub/options.ts'
export * from './pubsub/suite.ts'
