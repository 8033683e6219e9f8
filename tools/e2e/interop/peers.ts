import { callConnect, serveConnect } from './connect-node.ts'
import { callGrpcJs, serveGrpcJs } from './grpc-js.ts'
import { callOurs, serveOurs } from './ours.ts'
import type { Address, Caller, Certificate, Server } from './peer.ts'
import { go, java } from './programs.ts'

/** An implementation of gRPC, as server and as client: of this process, or a program that runs the cases itself. */
export interface Peer {
  readonly missing?: string | undefined
  serve(certificate?: Certificate): Promise<Server>
  call?(address: Address): Caller
  callAll?(address: Address): Promise<ReadonlyMap<string, string>>
}

export const peers = {
  ours: { serve: serveOurs, call: callOurs },
  'grpc-js': { serve: serveGrpcJs, call: callGrpcJs },
  'connect-node': { serve: serveConnect, call: callConnect },
  'grpc-go': go,
  'grpc-java': java,
} satisfies Record<string, Peer>

export type PeerName = keyof typeof peers
