import type { RuntimeOptions } from '../config/options.ts'
import type { AppChannel } from './channel.ts'
import { createHttpChannel } from './http-channel.ts'

type Options = Pick<
  RuntimeOptions,
  'appPort' | 'appChannelAddress' | 'appProtocol' | 'appMaxConcurrency' | 'appApiToken' | 'maxBodyBytes'
>

/** The channel to the application at `appPort`; what other protocols than HTTP/1.1 need is loaded with them only. */
export async function openChannel(options: Options): Promise<AppChannel | undefined> {
  const { appPort: port, appChannelAddress: host, appProtocol, appMaxConcurrency: maxConcurrency } = options
  if (port === undefined) return undefined
  const common = { host, port, maxConcurrency, appApiToken: options.appApiToken }
  switch (appProtocol) {
    case 'http':
    case 'https':
      return createHttpChannel({ ...common, secure: appProtocol === 'https' })
    case 'h2c': {
      const { createHttp2Client } = await import('@outrigger/wire/http2')
      return createHttpChannel({ ...common, secure: false, client: createHttp2Client() })
    }
    case 'grpc':
    case 'grpcs': {
      const { createGrpcAppChannel } = await import('./grpc-channel.ts')
      const secure = appProtocol === 'grpcs'
      return createGrpcAppChannel({ ...common, secure, maxMessageBytes: options.maxBodyBytes })
    }
  }
}
