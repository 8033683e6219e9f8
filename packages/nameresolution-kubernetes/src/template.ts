import { metadataValue } from '@outrigger/kit'
import { ComponentError, type ResolveRequest } from '@outrigger/spec'

/** Makes the address of a request. */
export type AddressTemplate = (request: ResolveRequest & { readonly port: number }) => string

type Part = string | ((request: ResolveRequest & { readonly port: number }) => string)

function action(text: string): Part {
  if (text === '.ID') return ({ appId }) => appId
  if (text === '.Namespace') return ({ namespace }) => namespace
  if (text === '.Port') return ({ port }) => String(port)
  const name = (
    /^\.Data\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(text) ?? /^index \.Data "([^"\\]+)"$/.exec(text)
  )?.[1]
  if (name !== undefined) return ({ metadata }) => metadataValue(metadata, name) ?? ''
  throw new ComponentError(
    'INVALID_METADATA',
    `template has the action {{${text}}}, which is not known; known are {{.ID}}, {{.Namespace}}, {{.Port}}, {{.Data.name}} and {{index .Data "name"}}`,
  )
}

/**
 * Reads a template in the syntax of Go's text/template, as far as an address needs it: fields of the request, and
 * `{{-`, `-}}` that take blanks away. @throws `INVALID_METADATA`
 */
export function parseTemplate(text: string): AddressTemplate {
  const parts: Part[] = []
  let rest = text
  for (let open = rest.indexOf('{{'); open !== -1; open = rest.indexOf('{{')) {
    const close = rest.indexOf('}}', open)
    if (close === -1) throw new ComponentError('INVALID_METADATA', `template has {{ without }}: ${text}`)
    const inner = rest.slice(open + 2, close)
    const [left, right] = [/^-\s/.test(inner), /\s-$/.test(inner)]
    const before = rest.slice(0, open)
    parts.push(left ? before.trimEnd() : before)
    parts.push(action(inner.slice(left ? 1 : 0, right ? -1 : undefined).trim()))
    rest = rest.slice(close + 2)
    if (right) rest = rest.trimStart()
  }
  parts.push(rest)
  return (request) => parts.map((part) => (typeof part === 'string' ? part : part(request))).join('')
}
