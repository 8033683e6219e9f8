// The gRPC echo that is measured: `outrigger PORT` or `grpc-js PORT`. Messages are bytes: no codec is measured.
const [, , kind, port] = process.argv
const path = '/bench.Echo/Call'

if (kind === 'outrigger') {
  const { createServer } = await import('@outrigger/wire')
  const { createGrpcHandler, rawCodec } = await import('@outrigger/wire/grpc')
  const method = { path, kind: 'unary' as const, input: rawCodec, output: rawCodec }
  const handler = createGrpcHandler({ routes: [{ method, handle: (message: Uint8Array) => message }] })
  await createServer({ protocols: ['h2c'] }, handler).listen({ host: '127.0.0.1', port: Number(port) })
} else {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js')
  const same = (bytes: Buffer): Buffer => bytes
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
  const server = new Server()
  server.addService(
    { call: { path, requestStream: false, responseStream: false, ...codec } },
    {
      call: (call: { request: Buffer }, answer: (error: null, message: Buffer) => void) =>
        answer(null, call.request),
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    )
  })
}
