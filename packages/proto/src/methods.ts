import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf'

/** Which side sends how many messages. */
export type MethodKind = 'unary' | 'server-stream' | 'client-stream' | 'bidi'

/** Turns messages of one type into bytes and back. */
export interface MessageCodec<D extends DescMessage> {
  /** Takes messages and plain objects; fields that are absent have their default. */
  encode(message: MessageInitShape<D>): Uint8Array
  /** @throws Error when the bytes are not a message of this type */
  decode(bytes: Uint8Array): MessageShape<D>
}

/** A method as the gRPC layer of `@outrigger/wire` takes it. */
export interface Method<
  I extends DescMessage = DescMessage,
  O extends DescMessage = DescMessage,
  K extends MethodKind = MethodKind,
> {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly kind: K
  readonly input: MessageCodec<I>
  readonly output: MessageCodec<O>
}

/** The methods of a service by their names in TypeScript: `getState` for GetState. */
export type Methods<S extends DescService> = {
  readonly [K in keyof S['method']]: Method<
    S['method'][K]['input'],
    S['method'][K]['output'],
    (typeof kinds)[S['method'][K]['methodKind']]
  >
}

const kinds = {
  unary: 'unary',
  server_streaming: 'server-stream',
  client_streaming: 'client-stream',
  bidi_streaming: 'bidi',
} as const satisfies Record<DescMethod['methodKind'], MethodKind>

/** A codec for one type of message. */
export function codecOf<D extends DescMessage>(schema: D): MessageCodec<D> {
  return {
    encode(message) {
      return toBinary(schema, create(schema, message))
    },
    decode(bytes) {
      return fromBinary(schema, bytes)
    },
  }
}

/** The table of a service's methods. Make it once, at load. */
export function methodsOf<S extends DescService>(service: S): Methods<S> {
  const codecs = new Map<DescMessage, MessageCodec<DescMessage>>()
  const codec = (schema: DescMessage) => {
    const known = codecs.get(schema) ?? codecOf(schema)
    codecs.set(schema, known)
    return known
  }
  const methods = service.methods.map((method): [string, Method] => [
    method.localName,
    {
      path: `/${service.typeName}/${method.name}`,
      kind: kinds[method.methodKind],
      input: codec(method.input),
      output: codec(method.output),
    },
  ])
  return Object.fromEntries(methods) as unknown as Methods<S>
}

/** The paths of a service's methods, for tables that need no codec: access lists, metrics. */
export function pathsOf(service: DescService): readonly string[] {
  return service.methods.map(({ name }) => `/${service.typeName}/${name}`)
}
