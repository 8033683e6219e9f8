import type { LogFields, Logger } from '@outrigger/spec'

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly scope: string
  readonly message: string
  readonly fields: LogFields
}

/** A logger that remembers what it was told. */
export interface RecordingLogger extends Logger {
  readonly records: readonly LogRecord[]
  fatal(message: string, fields?: LogFields): void
  enabled(level: LogRecord['level']): boolean
  /** Records into the same list. */
  child(scope: string): RecordingLogger
  /** Messages of one level, or of all. */
  messages(level?: LogRecord['level']): string[]
}

export function recordingLogger(scope = 'test', records: LogRecord[] = []): RecordingLogger {
  const record =
    (level: LogRecord['level']) =>
    (message: string, fields: LogFields = {}) => {
      records.push({ level, scope, message, fields })
    }
  return {
    records,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    fatal: record('fatal'),
    enabled: () => true,
    child: (name) => recordingLogger(`${scope}.${name}`, records),
    messages: (level) =>
      records.filter((each) => level === undefined || each.level === level).map((each) => each.message),
  }
}
