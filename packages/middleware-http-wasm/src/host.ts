import type { Logger } from '@outrigger/spec'
import { supportedFeatures, type GuestExchange } from './exchange.ts'
import { GuestError, type Memory } from './memory.ts'

export interface Host {
  readonly memory: () => Memory
  readonly config: Uint8Array
  readonly logger: Logger
  /** What is under way; `undefined` while the module starts. */
  exchange: GuestExchange | undefined
  /** Those of the module, for every request. */
  features: number
}

type Functions = Record<string, (...parameters: number[]) => number | bigint | void>

/** The functions of the module `http_handler`. */
export function httpHandler(host: Host): Functions {
  const { logger, config } = host
  const memory = () => host.memory()
  const exchange = () => {
    if (host.exchange === undefined) throw new GuestError('the module asks for a request before there is one')
    return host.exchange
  }
  return {
    enable_features(features) {
      const added = features! & supportedFeatures
      if (host.exchange === undefined) return (host.features |= added)
      return (host.exchange.features |= added)
    },
    get_config: (address, limit) => memory().put(address!, limit!, config),
    log_enabled: (level) => (level! >= -1 && level! <= 2 ? 1 : 0),
    log(level, address, length) {
      const message = memory().utf8(address!, Math.min(length! >>> 0, maxMessage))
      if (level === -1) logger.debug(message)
      else if (level === 0) logger.info(message)
      else if (level === 1) logger.warn(message)
      else if (level === 2) logger.error(message)
    },
    get_method: (address, limit) => memory().putText(address!, limit!, exchange().request.method),
    set_method(address, length) {
      exchange().method = memory().text(address!, length!)
    },
    get_uri: (address, limit) => memory().putText(address!, limit!, exchange().uri),
    set_uri(address, length) {
      exchange().uri = memory().text(address!, length!)
    },
    // The middleware is the same for all of them.
    get_protocol_version: (address, limit) => memory().putText(address!, limit!, 'HTTP/1.1'),
    get_source_addr: (address, limit) => memory().putText(address!, limit!, exchange().source),
    get_header_names: (kind, address, limit) => memory().putTexts(address!, limit!, exchange().names(kind!)),
    get_header_values: (kind, name, nameLength, address, limit) =>
      memory().putTexts(address!, limit!, exchange().values(kind!, nameAt(name!, nameLength!))),
    set_header_value(kind, name, nameLength, value, valueLength) {
      exchange().change(kind!, nameAt(name!, nameLength!), 'set', memory().text(value!, valueLength!))
    },
    add_header_value(kind, name, nameLength, value, valueLength) {
      exchange().change(kind!, nameAt(name!, nameLength!), 'append', memory().text(value!, valueLength!))
    },
    remove_header(kind, name, nameLength) {
      exchange().change(kind!, nameAt(name!, nameLength!), 'delete')
    },
    read_body: (kind, address, limit) => exchange().read(kind!, memory().slice(address!, limit!)),
    write_body(kind, address, length) {
      exchange().write(kind!, memory().slice(address!, length!))
    },
    get_status_code: () => exchange().status,
    set_status_code(code) {
      exchange().status = code!
    },
  }

  function nameAt(address: number, length: number): string {
    if (length === 0) throw new GuestError('the module names a field with nothing')
    return memory().text(address, length)
  }
}

/** Longest message that is logged. */
const maxMessage = 64 * 1024
