import { optionsOf, type DaprHandlers } from '../grpc-call.ts'
import type { LockHandler } from './handler.ts'
import { statusNumbers } from './http.ts'

/** The lock methods of the gRPC API. */
export function lockMethods(
  handler: LockHandler,
): Required<Pick<DaprHandlers, 'tryLockAlpha1' | 'unlockAlpha1'>> {
  return {
    async tryLockAlpha1(request, call) {
      return { success: await handler.tryLock(request, optionsOf(call)) }
    },
    async unlockAlpha1(request, call) {
      // The numbers are those of the enumeration.
      return { status: statusNumbers[await handler.unlock(request, optionsOf(call))] as 0 | 1 | 2 }
    },
  }
}
