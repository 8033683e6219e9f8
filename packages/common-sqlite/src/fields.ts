import { bool, duration, oneOf, string } from '@outrigger/kit'

/** The metadata fields that every SQLite component has. */
export const databaseFields = {
  connectionString: string({
    required: true,
    aliases: ['url'],
    description:
      'The database file: a path, `file:` URI, or `:memory:`. Relative paths start at the working folder; missing folders are made.',
    example: 'data/app.db',
  }),
  timeoutMs: duration({
    name: 'timeout',
    aliases: ['timeoutInSeconds'],
    default: '20s',
    minimum: 1000,
    description: 'The longest that a write may wait, all in all.',
  }),
  busyTimeoutMs: duration({
    name: 'busyTimeout',
    default: '2s',
    minimum: 0,
    description: 'How long to wait for a lock that another process holds. Waiting blocks nothing else.',
  }),
  disableWAL: bool({
    default: 'false',
    description: 'Turns the write-ahead log off, as a file on a network file system needs. Slower.',
  }),
  synchronous: oneOf(['normal', 'full'], {
    default: 'normal',
    description:
      'When the disk must have a write. With `normal` the last writes can be lost when the power fails, never when the process is killed; `full` waits for the disk at each commit.',
  }),
} as const
