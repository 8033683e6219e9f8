import { ConnectionError, FLOW_CONTROL_ERROR, PROTOCOL_ERROR } from './errors.ts'
import {
  defaultFrameSize,
  defaultWindow,
  ENABLE_PUSH,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  MAX_HEADER_LIST_SIZE,
  maxWindow,
} from './frames/constants.ts'

/** What the peer has told us. */
export class PeerSettings {
  headerTableSize = 4096
  maxConcurrentStreams = Infinity
  initialWindow = defaultWindow
  maxFrameSize = defaultFrameSize
  maxHeaderListSize = Infinity

  /** Takes the payload of a SETTINGS frame (RFC 9113, section 6.5). `fromServer`: who sent it. */
  apply(bytes: Buffer, start: number, end: number, fromServer: boolean): void {
    for (let at = start; at < end; at += 6) {
      this.set(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2), fromServer)
    }
  }

  private set(id: number, value: number, fromServer: boolean): void {
    switch (id) {
      case HEADER_TABLE_SIZE:
        this.headerTableSize = value
        break
      case ENABLE_PUSH:
        // Only a client may allow to be pushed to, and we never push.
        if (value > 1 || (fromServer && value === 1)) throw wrong('ENABLE_PUSH', value)
        break
      case MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value
        break
      case INITIAL_WINDOW_SIZE:
        if (value > maxWindow) {
          throw new ConnectionError(FLOW_CONTROL_ERROR, `the initial window ${value} is too large`)
        }
        this.initialWindow = value
        break
      case MAX_FRAME_SIZE:
        if (value < defaultFrameSize || value > 0xffffff) throw wrong('MAX_FRAME_SIZE', value)
        this.maxFrameSize = value
        break
      case MAX_HEADER_LIST_SIZE:
        this.maxHeaderListSize = value
        break
      default:
      // Unknown settings are ignored (section 6.5.2).
    }
  }
}

function wrong(name: string, value: number): ConnectionError {
  return new ConnectionError(PROTOCOL_ERROR, `the setting ${name} must not be ${value}`)
}
