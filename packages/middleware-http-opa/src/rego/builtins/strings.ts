import { RE2JS } from 're2js'
import { fromJson, isArray, Obj, toJson, typeOf, ValueSet, type Value } from '../values.ts'
import { array, number, object, text, texts, whole } from './arguments.ts'
import { of, type Table } from './types.ts'

const letters = (value: string) => Array.from(value)

function substring(value: string, offset: number, length: number): string {
  if (offset < 0) throw new Error('must not be below zero')
  const all = letters(value)
  return all.slice(offset, length < 0 ? undefined : offset + length).join('')
}

/** Where a text is found, in letters. */
function indexesOf(value: string, wanted: string): number[] {
  if (wanted === '') throw new Error('must not be empty')
  const found: number[] = []
  let counted = 0
  let before = 0
  for (let at = value.indexOf(wanted); at !== -1; at = value.indexOf(wanted, at + 1)) {
    // Each part is counted once, however often it is found.
    before += letters(value.slice(counted, at)).length
    counted = at
    found.push(before)
  }
  return found
}

function trimmed(value: string, cutset: string, left: boolean, right: boolean): string {
  const cut = new Set(cutset)
  const all = letters(value)
  let [start, end] = [0, all.length]
  while (left && start < end && cut.has(all[start]!)) start++
  while (right && end > start && cut.has(all[end - 1]!)) end--
  return all.slice(start, end).join('')
}

/** As a policy writes it. */
export function shown(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (value instanceof Obj)
    return `{${value.entries.map(([key, each]) => `${shown(key)}: ${shown(each)}`).join(', ')}}`
  return value.size === 0 ? 'set()' : `{${value.items.map(shown).join(', ')}}`
}

const verb = /%([+# 0-]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g

function sprintf(format: string, values: readonly Value[]): string {
  let index = 0
  return format.replaceAll(
    verb,
    (
      whole_: string,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      kind: string,
    ) => {
      if (kind === '%') return '%'
      const value = values[index++]
      if (value === undefined) return `%!${kind}(MISSING)`
      const plain = formatted(value, kind, precision === undefined ? undefined : Number(precision))
      if (plain === undefined) return `%!${kind}(${typeOf(value)}=${shown(value)})`
      const signed = flags.includes('+') && typeof value === 'number' && value >= 0 ? `+${plain}` : plain
      const size = Math.min(Number(width ?? 0), 1000)
      if (flags.includes('-')) return signed.padEnd(size)
      return flags.includes('0') && typeof value === 'number'
        ? signed.padStart(size, '0')
        : signed.padStart(size)
    },
  )
}

function formatted(value: Value, kind: string, precision: number | undefined): string | undefined {
  if (kind === 'v') return typeof value === 'string' ? value : shown(value)
  if (kind === 's') return typeof value === 'string' ? value : shown(value)
  if (kind === 'q') return typeof value === 'string' ? JSON.stringify(value) : undefined
  if (kind === 't') return typeof value === 'boolean' ? String(value) : undefined
  if (typeof value !== 'number') return undefined
  if (kind === 'd') return Number.isInteger(value) ? String(value) : undefined
  if (kind === 'x') return value.toString(16)
  if (kind === 'X') return value.toString(16).toUpperCase()
  if (kind === 'b') return value.toString(2)
  if (kind === 'o') return value.toString(8)
  if (kind === 'f' || kind === 'F') return value.toFixed(precision ?? 6)
  if (kind === 'g')
    return precision === undefined ? String(value) : String(Number(value.toPrecision(precision)))
  if (kind === 'e') return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
  return undefined
}

function toNumber(value: Value): number | undefined {
  if (value === null) return 0
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value)
    ? Number(value)
    : undefined
}

/** Patterns that were compiled: policies use few, and use them again. */
const patterns = new Map<string, RE2JS>()

function pattern(source: string): RE2JS {
  let compiled = patterns.get(source)
  if (compiled === undefined) {
    compiled = RE2JS.compile(source)
    if (patterns.size >= 100) patterns.clear()
    patterns.set(source, compiled)
  }
  return compiled
}

function matches(source: string, value: string, most: number): string[][] {
  const matcher = pattern(source).matcher(value)
  const found: string[][] = []
  while ((most < 0 || found.length < most) && matcher.find())
    found.push(Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? ''))
  return found
}

/** A pattern of shells: `*` does not reach over a delimiter, `**` does. */
function glob(source: string, delimiters: readonly string[]): string {
  const other = delimiters.length === 0 ? '(?s:.)' : `[^${delimiters.map(RE2JS.quote).join('')}]`
  let result = ''
  for (let at = 0; at < source.length; at++) {
    const char = source[at]!
    if (source.startsWith('**', at)) {
      result += '(?s:.*)'
      at++
    } else if (char === '*') result += `${other}*`
    else if (char === '?') result += other
    else if (char === '{') result += '(?:'
    else if (char === '}') result += ')'
    else if (char === ',' && /\(\?:[^)]*$/.test(result)) result += '|'
    else if (char === '[') {
      const end = source.indexOf(']', at)
      if (end === -1) throw new Error('has no end')
      result += source.slice(at, end + 1).replace('[!', '[^')
      at = end
    } else if (char === '\\') result += RE2JS.quote(source[++at] ?? '')
    else result += RE2JS.quote(char)
  }
  return `^${result}$`
}

export const strings: Table = {
  concat: of(2, ([separator, parts]) => texts(parts).join(text(separator))),
  contains: of(2, ([value, wanted]) => text(value).includes(text(wanted))),
  startswith: of(2, ([value, wanted]) => text(value).startsWith(text(wanted))),
  endswith: of(2, ([value, wanted]) => text(value).endsWith(text(wanted))),
  'strings.any_prefix_match': of(2, ([values, prefixes]) =>
    texts(values).some((value) => texts(prefixes).some((prefix) => value.startsWith(prefix))),
  ),
  'strings.any_suffix_match': of(2, ([values, suffixes]) =>
    texts(values).some((value) => texts(suffixes).some((suffix) => value.endsWith(suffix))),
  ),
  format_int: of(2, ([value, base]) => Math.trunc(number(value)).toString(whole(base))),
  indexof: of(2, ([value, wanted]) => indexesOf(text(value), text(wanted))[0] ?? -1),
  indexof_n: of(2, ([value, wanted]) => indexesOf(text(value), text(wanted))),
  lower: of(1, ([value]) => text(value).toLowerCase()),
  upper: of(1, ([value]) => text(value).toUpperCase()),
  replace: of(3, ([value, from, to]) => text(value).replaceAll(text(from), () => text(to))),
  'strings.replace_n': of(2, ([pairs, value]) =>
    object(pairs).entries.reduce(
      (done, [from, to]) => done.replaceAll(text(from), () => text(to)),
      text(value),
    ),
  ),
  'strings.reverse': of(1, ([value]) => letters(text(value)).reverse().join('')),
  'strings.count': of(2, ([value, wanted]) => text(value).split(text(wanted)).length - 1),
  split: of(2, ([value, separator]) =>
    text(separator) === '' ? letters(text(value)) : text(value).split(text(separator)),
  ),
  sprintf: of(2, ([format, values]) => sprintf(text(format), array(values))),
  substring: of(3, ([value, offset, length]) => substring(text(value), whole(offset), whole(length))),
  trim: of(2, ([value, cut]) => trimmed(text(value), text(cut), true, true)),
  trim_left: of(2, ([value, cut]) => trimmed(text(value), text(cut), true, false)),
  trim_right: of(2, ([value, cut]) => trimmed(text(value), text(cut), false, true)),
  trim_prefix: of(2, ([value, prefix]) =>
    text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value),
  ),
  trim_suffix: of(2, ([value, suffix]) =>
    text(suffix) !== '' && text(value).endsWith(text(suffix))
      ? text(value).slice(0, -text(suffix).length)
      : text(value),
  ),
  trim_space: of(1, ([value]) => text(value).trim()),
  to_number: of(1, ([value]) => toNumber(value!)),
  re_match: of(2, ([source, value]) => pattern(text(source)).matcher(text(value)).find()),
  'regex.match': of(2, ([source, value]) => pattern(text(source)).matcher(text(value)).find()),
  'regex.is_valid': of(1, ([source]) => {
    try {
      pattern(text(source))
      return true
    } catch {
      return false
    }
  }),
  'regex.split': of(2, ([source, value]) => pattern(text(source)).split(text(value), -1)),
  'regex.find_n': of(3, ([source, value, most]) =>
    matches(text(source), text(value), whole(most)).map(([all]) => all!),
  ),
  'regex.find_all_string_submatch_n': of(3, ([source, value, most]) =>
    matches(text(source), text(value), whole(most)),
  ),
  'regex.replace': of(3, ([value, source, to]) =>
    pattern(text(source)).matcher(text(value)).replaceAll(text(to)),
  ),
  'glob.match': of(3, ([source, delimiters, value]) => {
    const list = delimiters === null ? [] : array(delimiters).map(text)
    return pattern(glob(text(source), list.length === 0 && delimiters !== null ? ['.'] : list))
      .matcher(text(value))
      .find()
  }),
  'glob.quote_meta': of(1, ([value]) => text(value).replaceAll(/[*?\\[\]{}]/g, (sign) => `\\${sign}`)),
  is_string: of(1, ([value]) => typeof value === 'string'),
  is_number: of(1, ([value]) => typeof value === 'number'),
  is_boolean: of(1, ([value]) => typeof value === 'boolean'),
  is_null: of(1, ([value]) => value === null),
  is_array: of(1, ([value]) => isArray(value!)),
  is_object: of(1, ([value]) => value instanceof Obj),
  is_set: of(1, ([value]) => value instanceof ValueSet),
  type_name: of(1, ([value]) => typeOf(value!)),
  'json.marshal': of(1, ([value]) => JSON.stringify(toJson(value!))),
  'json.unmarshal': of(1, ([value]) => fromJson(JSON.parse(text(value)))),
  'json.is_valid': of(1, ([value]) => {
    try {
      JSON.parse(text(value))
      return true
    } catch {
      return false
    }
  }),
}
