import { grpcOfStatus, knownByHttp } from '../error-table.ts'
import { OutriggerError, type ErrorDetails } from '../error.ts'
import { isRecord, textOf, type Json } from '../values.ts'

const longestText = 1000

/** The error that an answer of the HTTP API stands for. */
export function answerError(status: number, body: Uint8Array): OutriggerError {
  const text = textOf(body)
  const document = parse(text)
  const code = document?.['errorCode']
  const errorCode = typeof code === 'string' && code !== '' ? code : undefined
  const { reason, details } = readDetails(document?.['details'])
  const known = errorCode === undefined ? undefined : knownByHttp(errorCode, status, reason)
  const said = document?.['message']
  const message = typeof said === 'string' && said !== '' ? said : text.trim().slice(0, longestText)
  return new OutriggerError({
    message: message === '' ? `the sidecar answered ${status}` : message,
    status,
    grpcStatus: known?.grpcStatus ?? grpcOfStatus(status),
    errorCode,
    reason,
    details,
  })
}

/** The error of the sidecar itself in an answer that may be the application's. */
export function sidecarError(status: number, body: Uint8Array): OutriggerError | undefined {
  const error = answerError(status, body)
  const { errorCode, reason } = error
  if (errorCode === undefined) return undefined
  const ownReason = reason === errorCode ? undefined : reason
  return knownByHttp(errorCode, status, ownReason) === undefined ? undefined : error
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `details` in the JSON form of google.rpc; names of members come in both spellings. */
function readDetails(list: unknown): { readonly reason: string | undefined; readonly details: ErrorDetails } {
  if (!Array.isArray(list)) return { reason: undefined, details: {} }
  const find = (type: string): Json | undefined =>
    list.find((each): each is Json => isRecord(each) && String(each['@type']).endsWith(`google.rpc.${type}`))
  const info = find('ErrorInfo')
  const resource = find('ResourceInfo')
  const violations = pairs(member(find('BadRequest'), 'field_violations', 'fieldViolations'), 'field')
  const help = pairs(find('Help')?.['links'], 'url')
  return {
    reason: info === undefined ? undefined : string(info['reason']) || undefined,
    details: {
      ...(isRecord(info?.['metadata']) && { metadata: info['metadata'] as Readonly<Record<string, string>> }),
      ...(resource !== undefined && {
        resource: {
          type: string(member(resource, 'resource_type', 'resourceType')),
          name: string(member(resource, 'resource_name', 'resourceName')),
        },
      }),
      ...(violations !== undefined && { violations }),
      ...(help !== undefined && { help }),
    },
  }
}

function pairs<K extends 'field' | 'url'>(
  list: unknown,
  name: K,
): { [P in K | 'description']: string }[] | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined
  return list
    .filter(isRecord)
    .map((each) => ({ [name]: string(each[name]), description: string(each['description']) }) as never)
}

function member(object: Json | undefined, ...names: readonly string[]): unknown {
  for (const name of names) if (object?.[name] !== undefined) return object[name]
  return undefined
}

const string = (value: unknown): string => (typeof value === 'string' ? value : '')
