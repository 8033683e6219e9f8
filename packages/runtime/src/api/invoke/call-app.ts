import type { AppChannel, AppRequest, AppResponse } from '../../app/channel.ts'

/**
 * Sends a request to the application, whatever it speaks: over gRPC as `OnInvoke`, for which its body is gathered
 * up to `maxBodyBytes`.
 */
export async function callApp(
  channel: AppChannel,
  request: AppRequest,
  maxBodyBytes: number,
): Promise<AppResponse> {
  if (channel.kind === 'http') return channel.call(request)
  const { onInvoke } = await import('./on-invoke.ts')
  return onInvoke(channel, request, maxBodyBytes)
}
