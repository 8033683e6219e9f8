import type { Clock, Logger } from '@outrigger/spec'
import { type LogFields, type LogLevel, type Origin, renderJson, renderText } from './render.ts'

/** A logger of one scope. */
export interface ScopedLogger extends Logger {
  /** The process is about to end because of this. The logger itself ends nothing. */
  fatal(message: string, fields?: LogFields): void
  /** Whether a line of this level would be written: to save work for lines that are not. */
  enabled(level: LogLevel): boolean
  /** A logger of a scope below: `dapr.runtime` and `http` is `dapr.runtime.http`. */
  child(scope: string): ScopedLogger
}

/** All loggers of a process, or of one runtime in a process. */
export interface Log {
  /** May be changed at any time. */
  level: LogLevel
  /** A logger of this scope. */
  scope(scope: string, type?: 'log' | 'request'): ScopedLogger
}

export interface LogOptions {
  readonly level: LogLevel
  readonly json: boolean
  /** Left out of the lines when empty. */
  readonly appId: string
  /** Name of the machine or pod. */
  readonly instance: string
  readonly version: string
  readonly clock: Clock
  /** Takes complete lines. What it throws is ignored: there is nowhere to say so. */
  readonly write: (line: string) => void
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const satisfies readonly LogLevel[]

/** Creates the log of a process. */
export function createLog(options: LogOptions): Log {
  return new SharedLog(options)
}

class SharedLog implements Log {
  readonly options: LogOptions
  threshold: number

  constructor(options: LogOptions) {
    this.options = options
    this.threshold = logLevels.indexOf(options.level)
  }

  get level(): LogLevel {
    return logLevels[this.threshold]!
  }

  set level(level: LogLevel) {
    this.threshold = logLevels.indexOf(level)
  }

  scope(scope: string, type: 'log' | 'request' = 'log'): ScopedLogger {
    const { appId, instance, version } = this.options
    return new LineLogger(this, { app_id: appId, instance, scope, type, ver: version })
  }
}

class LineLogger implements ScopedLogger {
  private readonly log: SharedLog
  private readonly origin: Origin

  constructor(log: SharedLog, origin: Origin) {
    this.log = log
    this.origin = origin
  }

  debug(message: string, fields?: LogFields): void {
    if (this.log.threshold === 0) this.write('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    if (this.log.threshold <= 1) this.write('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    if (this.log.threshold <= 2) this.write('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    if (this.log.threshold <= 3) this.write('error', message, fields)
  }

  fatal(message: string, fields?: LogFields): void {
    this.write('fatal', message, fields)
  }

  enabled(level: LogLevel): boolean {
    return logLevels.indexOf(level) >= this.log.threshold
  }

  child(scope: string): ScopedLogger {
    return new LineLogger(this.log, { ...this.origin, scope: `${this.origin.scope}.${scope}` })
  }

  private write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { clock, json, write } = this.log.options
    try {
      const time = timeText(clock.now())
      const render = json ? renderJson : renderText
      write(render(time, level, String(message), this.origin, fields))
    } catch {
      // A log that fails must not take the work down with it.
    }
  }
}

/** RFC 3339 without zeros at the end, as Dapr writes it; in UTC. */
function timeText(now: number): string {
  return new Date(now).toISOString().replace(/\.?0+Z$/, 'Z')
}
