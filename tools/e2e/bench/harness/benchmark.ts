import type { Results } from './report.ts'

export interface Settings {
  /** Each contender runs once in every round, in turn, so that noise hits all of them. */
  readonly rounds: number
  /** Requests of one contender in one round. */
  readonly requests: number
  readonly connections: number
  /** Parts to run; without it all of them. */
  readonly only?: readonly string[]
  readonly progress: (text: string) => void
}

export interface Benchmark {
  /** What `only` can name. */
  readonly parts?: readonly string[]
  readonly defaults: Pick<Settings, 'rounds' | 'requests' | 'connections'>
  run(settings: Settings): Promise<Results>
}
