/** What the program that started a sidecar with a channel (`stdio: 'ipc'`) is told, once or after each reload. */
export type SidecarMessage =
  /** Components and API can be used. */
  | { readonly daprd: 'started' }
  /** It ends, as the port of this flag (without dashes) is in use. */
  | { readonly daprd: 'port in use'; readonly flag: string }

/** Tells it, where there is a channel; `then` follows in any case. */
export function tellParent(message: SidecarMessage, then: () => void = () => {}): void {
  if (process.send === undefined || !process.connected) return then()
  // A channel that broke is known by its end.
  process.send(message, undefined, undefined, () => then())
}
