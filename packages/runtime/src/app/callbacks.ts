/** The methods that an application serves over gRPC. With it comes protobuf: import this when it is needed only. */
import { AppCallback, AppCallbackAlpha, AppCallbackHealthCheck } from '@outrigger/proto/appcallback'
import { methodsOf } from '@outrigger/proto'

export const callbacks = methodsOf(AppCallback)
export const alphaCallbacks = methodsOf(AppCallbackAlpha)
export const healthCallbacks = methodsOf(AppCallbackHealthCheck)
