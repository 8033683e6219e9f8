// Who may import this package need not import the contract for its types.
export type { Clock, LogFields, Logger, Random, Timer } from '@outrigger/spec'
export { type ArgumentOptions, type Arguments, splitArguments } from './flags/arguments.ts'
export { renderHelp, renderMarkdown } from './flags/help.ts'
export { nearest } from './flags/nearest.ts'
export { parseFlags, type ParsedFlags, wanted } from './flags/parse.ts'
export { type Flag, FlagError, type FlagType, type FlagValues } from './flags/table.ts'
export { formatDuration, readBool, readDuration, readQuantity } from './flags/units.ts'
export { createHealth, type Health, type HealthTarget } from './health.ts'
export {
  createLifecycle,
  type Lifecycle,
  type LifecycleOptions,
  type LifecycleState,
  type Part,
} from './lifecycle.ts'
export { createLog, type Log, logLevels, type LogOptions, type ScopedLogger } from './log/logger.ts'
export type { LogLevel } from './log/render.ts'
export { fileSink, type Sink, streamSink, teeSink } from './log/sink.ts'
export { errorText } from './log/text.ts'
export { metricsContentType, renderMetrics, type MetricFamily } from './metrics.ts'
export { handleSignals, type SignalOptions, type Signals } from './signals.ts'
export { collectors, type Collectors, youngCollector } from './young-collector.ts'
export { keepAlive, systemClock, systemRandom } from './system.ts'
