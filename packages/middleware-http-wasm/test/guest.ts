import { writeFile } from 'node:fs/promises'
import { tempFolder } from '@outrigger/testkit'
import { onTestFinished } from 'vitest'
import loadWabt from 'wabt'

const i = (count: number) => `(param ${'i32 '.repeat(count)})`
const signatures: Readonly<Record<string, string>> = {
  enable_features: `${i(1)} (result i32)`,
  get_config: `${i(2)} (result i32)`,
  log_enabled: `${i(1)} (result i32)`,
  log: i(3),
  get_method: `${i(2)} (result i32)`,
  set_method: i(2),
  get_uri: `${i(2)} (result i32)`,
  set_uri: i(2),
  get_protocol_version: `${i(2)} (result i32)`,
  get_source_addr: `${i(2)} (result i32)`,
  get_header_names: `${i(3)} (result i64)`,
  get_header_values: `${i(5)} (result i64)`,
  set_header_value: i(5),
  add_header_value: i(5),
  remove_header: i(3),
  read_body: `${i(3)} (result i64)`,
  write_body: i(3),
  get_status_code: '(result i32)',
  set_status_code: i(1),
}

export interface GuestText {
  /** What `handle_request` does; it must leave an i64. */
  readonly request?: string
  readonly response?: string
  readonly start?: string
  /** Texts in memory, each at a multiple of 64. */
  readonly data?: readonly string[]
  /** More of the module. */
  readonly more?: string
}

/** A module in the text format: it imports the functions of the ABI that its texts call. */
export function guest({
  request = '(i64.const 1)',
  response = '',
  start,
  data = [],
  more = '',
}: GuestText): string {
  const called = Object.entries(signatures).filter(([name]) =>
    [request, response, start ?? '', more].some(
      (text) => text.includes(`$${name} `) || text.includes(`$${name})`),
    ),
  )
  return `(module
    ${more.includes('(import') ? more : ''}
    ${called.map(([name, signature]) => `(import "http_handler" "${name}" (func $${name} ${signature}))`).join('\n')}
    (memory (export "memory") 1)
    ${data.map((text, index) => `(data (i32.const ${index * 64}) ${JSON.stringify(text)})`).join('\n')}
    ${start === undefined ? '' : `(func (export "_start") ${start})`}
    ${more.includes('(import') ? '' : more}
    (func (export "handle_request") (result i64) (local $n i32) (local $l i64) ${request})
    (func (export "handle_response") (param $context i32) (param $failed i32) (local $l i64) ${response}))`
}

/** Translates the text format. */
export async function compile(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await loadWabt()
  const parsed = wabt.parseWat('guest.wat', text)
  try {
    return new Uint8Array(parsed.toBinary({}).buffer)
  } finally {
    parsed.destroy()
  }
}

/** Writes bytes into a file that lives as long as the test. @returns its URL */
export async function fileOf(bytes: Uint8Array): Promise<string> {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  await writeFile(`${folder.path}/guest.wasm`, bytes)
  return `file://${folder.path}/guest.wasm`
}
