/** What comes with every operation of a component, as its last argument. */
export interface OperationOptions {
  /** Aborts the operation. The component stops work as soon as it can and throws `CANCELLED`. */
  readonly signal?: AbortSignal | undefined
  /** W3C Trace Context of the caller. */
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  /** W3C Baggage of the caller. */
  readonly baggage?: string | undefined
}

/** Free-form request or message metadata. Names are as the user wrote them. */
export type Metadata = Readonly<Record<string, string>>

/** What every live component has. */
export interface LiveComponent {
  /** Answers when the service behind the component can be used; throws otherwise. For health, never for readiness of `create`. */
  ping?(options: OperationOptions): Promise<void>
  /** Ends the component's life: awaited, may be called twice, frees every connection and timer. */
  close(): Promise<void>
}
