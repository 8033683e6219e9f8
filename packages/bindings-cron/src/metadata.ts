import { fields, int, list, string } from '@outrigger/kit'

export const metadata = fields({
  schedule: string({
    description:
      'When to run: a cron expression of five fields, or six with seconds first, `@every <duration>`, or a shortcut such as `@hourly`.',
    required: true,
    example: '@every 15m',
  }),
  maxConcurrency: int({
    description:
      'At most this many runs are under way at a time; a run that falls due while there are so many is left out. With 1, runs never overlap.',
    default: '10',
    minimum: 1,
    maximum: 1000,
  }),
  direction: list({
    description: 'The direction of the binding; this one is an input. Read by the runtime.',
    example: 'input',
  }),
  route: string({
    description:
      "Path of the application's endpoint, where it is not the resource's name. Read by the runtime.",
    example: '/jobs/nightly',
  }),
})

export interface CronMetadata {
  readonly schedule: string
  readonly maxConcurrency: number
}
