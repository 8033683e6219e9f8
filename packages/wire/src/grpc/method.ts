/** Which side sends how many messages. */
export type MethodKind = 'unary' | 'server-stream' | 'client-stream' | 'bidi'

/** Turns messages into bytes and back; what throws while decoding is the caller's mistake. */
export interface Codec<T> {
  encode(message: T): Uint8Array
  decode(bytes: Uint8Array): T
}

/** A method of a gRPC service, whatever its messages are made with. */
export interface GrpcMethod<I = unknown, O = unknown> {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly kind: MethodKind
  readonly input: Codec<I>
  readonly output: Codec<O>
}

/** Messages as they are on the wire: for calls that are passed on undecoded. */
export const rawCodec: Codec<Uint8Array> = {
  encode: (message) => message,
  decode: (bytes) => bytes,
}
