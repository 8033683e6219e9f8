import { closeSync, openSync, writeSync } from 'node:fs'

/** Where lines go. */
export interface Sink {
  write(line: string): void
  close(): void
}

/** A stream such as `process.stdout`. A reader that went away is no reason to end. */
export function streamSink(stream: NodeJS.WritableStream): Sink {
  const ignore = (): void => {}
  stream.on('error', ignore)
  return {
    write: (line) => void stream.write(line),
    close: () => void stream.off('error', ignore),
  }
}

/**
 * A file that lines are appended to. Each line is written at once, so that none is lost when the process ends.
 * @throws Error that names the file when it cannot be opened
 */
export function fileSink(path: string): Sink {
  let file: number | undefined
  try {
    file = openSync(path, 'a')
  } catch (cause) {
    throw new Error(`the log file ${path} cannot be opened: ${(cause as Error).message}`, { cause })
  }
  return {
    write(line) {
      if (file !== undefined) writeSync(file, line)
    },
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

/** Several at once; one that fails does not keep the line from the others. */
export function teeSink(...sinks: readonly Sink[]): Sink {
  return {
    write(line) {
      for (const sink of sinks) {
        try {
          sink.write(line)
        } catch {
          // The next one may still work.
        }
      }
    },
    close() {
      for (const sink of sinks) sink.close()
    },
  }
}
