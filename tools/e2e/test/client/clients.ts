import * as latest from '@dapr/dapr'
import * as older from 'dapr-client-3-6'
import type { Sidecar } from '../../src/index.ts'

export type Sdk = typeof latest

/** The official client as it is, in the two generations that are in use. */
export const clients: readonly (readonly [name: string, sdk: Sdk])[] = [
  ['@dapr/dapr 3.18.0', latest],
  // The parts that are used here have the same types in both.
  ['@dapr/dapr 3.6.1', older as unknown as Sdk],
]

const quiet = {
  service: { error() {}, warn() {}, info() {}, verbose() {}, debug() {} },
}

export function clientOf(
  sdk: Sdk,
  sidecar: Pick<Sidecar, 'httpPort'>,
  daprApiToken?: string,
): latest.DaprClient {
  return new sdk.DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(sidecar.httpPort),
    communicationProtocol: sdk.CommunicationProtocolEnum.HTTP,
    logger: quiet,
    ...(daprApiToken !== undefined && { daprApiToken }),
  })
}

/** The same client over gRPC. */
export function grpcClientOf(sdk: Sdk, sidecar: Pick<Sidecar, 'grpcPort'>): latest.DaprClient {
  return new sdk.DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(sidecar.grpcPort),
    communicationProtocol: sdk.CommunicationProtocolEnum.GRPC,
    logger: quiet,
  })
}

/** A server of an application. Its sidecar may start earlier or later: they only know each other's port. */
export function serverOf(sdk: Sdk, httpPort: number, appPort: number): latest.DaprServer {
  return new sdk.DaprServer({
    serverHost: '127.0.0.1',
    serverPort: String(appPort),
    communicationProtocol: sdk.CommunicationProtocolEnum.HTTP,
    clientOptions: { daprHost: '127.0.0.1', daprPort: String(httpPort), logger: quiet },
    logger: quiet,
  })
}

/** The same server over gRPC. */
export function grpcServerOf(sdk: Sdk, grpcPort: number, appPort: number): latest.DaprServer {
  const communicationProtocol = sdk.CommunicationProtocolEnum.GRPC
  return new sdk.DaprServer({
    serverHost: '127.0.0.1',
    serverPort: String(appPort),
    communicationProtocol,
    clientOptions: {
      daprHost: '127.0.0.1',
      daprPort: String(grpcPort),
      communicationProtocol,
      logger: quiet,
    },
    logger: quiet,
  })
}

/** What the client puts into the message of the errors that it throws or returns. */
export function wireError(error: unknown): { status: number; errorCode?: string; message?: string } {
  const outer = JSON.parse((error as Error).message) as { status: number; error_msg: string }
  return { status: outer.status, ...(JSON.parse(outer.error_msg) as { errorCode: string; message: string }) }
}
