/** Suites of tests that the components of each kind must pass. They need vitest. */
export * from './create.ts'
export { Fixture, type InstanceOptions, type SuiteOptions } from './fixture.ts'
export * from './suite.ts'
export * from './system.ts'
export { type StateSuiteOptions } from './state/options.ts'
export * from './state/suite.ts'
export { type PubSubSuiteOptions } from './pubsub/options.ts'
export * from './pubsub/suite.ts'
export { type BindingInput, type BindingStep, type BindingSuiteOptions } from './bindings/options.ts'
export * from './bindings/suite.ts'
export * from './secret-store/suite.ts'
export * from './configuration/suite.ts'
export * from './lock/suite.ts'
export { type CryptoSuiteOptions } from './crypto/options.ts'
export * from './crypto/suite.ts'
export { type NameResolutionSuiteOptions } from './name-resolution/options.ts'
export * from './name-resolution/suite.ts'
export {
  answered,
  exchange,
  TestRequest,
  type MiddlewareAnswer,
  type MiddlewareInput,
  type MiddlewareOutcome,
} from './middleware/exchange.ts'
export * from './middleware/suite.ts'
