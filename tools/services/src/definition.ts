/** Where one instance of a server runs. */
export interface Place {
  readonly host: string
  readonly port: number
  /** An empty folder of its own, removed when the service is stopped. */
  readonly dataDir: string
}

/** All that is known about one backing server: one small file each, listed in `registry.ts`. */
export interface ServiceDefinition {
  readonly name: string
  /** Debian packages that bring the server. */
  readonly packages: readonly string[]
  /** The Debian suite that has the packages, where the usual one has not: they are unpacked in a folder of the user. */
  readonly suite?: string
  /** Name of the executable, searched in PATH and the usual folders of servers. */
  readonly binary: string
  /** Folders outside PATH in which the executable may be. */
  readonly folders?: readonly string[]
  /** The arguments that start it in the foreground. */
  args(place: Place): string[]
  readonly env?: Readonly<Record<string, string>>
  /** The signal that asks it to stop, SIGTERM unless said. */
  readonly stopSignal?: NodeJS.Signals
  /**
   * Resolves when this very process answers, rejects while it does not. Compare the process id where the
   * protocol tells it: a free port may have been taken by somebody else in the meantime.
   */
  probe(server: Place & { readonly pid: number }): Promise<void>
}
