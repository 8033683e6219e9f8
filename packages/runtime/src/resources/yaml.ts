import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar } from 'yaml'
import type { Node as YamlAst, YAMLMap } from 'yaml'

/** A document as a plain tree. Lines and columns count from 1 and belong to the file. */
export type Tree = ScalarTree | MapTree | ListTree

export interface ScalarTree {
  readonly kind: 'scalar'
  /** As written (`1e3`, `007`), quotes and escapes resolved; empty for null. */
  readonly text: string
  readonly value: string | number | boolean | null
  readonly line: number
}

export interface MapTree {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, { readonly line: number; readonly node: Tree }>
  readonly line: number
}

export interface ListTree {
  readonly kind: 'list'
  readonly items: readonly Tree[]
  readonly line: number
}

/** What is wrong with a text. Says nothing of its content, which may be secret. */
export interface YamlFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type ParsedDocument =
  | { readonly tree: Tree; readonly duplicates: readonly { readonly key: string; readonly line: number }[] }
  | { readonly fault: YamlFault }

export const limits = { bytesOfFile: 4 * 2 ** 20, documents: 1000, nodes: 100_000, depth: 64, files: 10_000 }

/**
 * Splits at lines that begin with `---` and parses each part on its own, so that a broken document leaves its
 * neighbours alone. Empty documents are left out.
 */
export function parseDocuments(text: string): readonly ParsedDocument[] {
  const documents: ParsedDocument[] = []
  let start = 0
  let line = 1
  const parts: { text: string; line: number }[] = []
  for (const mark of text.matchAll(/^---(?=\s|$)/gm)) {
    const part = text.slice(start, mark.index)
    parts.push({ text: part, line })
    line += part.split('\n').length - 1
    // The mark becomes spaces: columns stay right, and what follows it on its line stays.
    start = mark.index
    if (parts.length > limits.documents) {
      return [fault(line, 1, `more than ${limits.documents} documents in one file: split the file`)]
    }
  }
  parts.push({ text: text.slice(start), line })
  for (const part of parts) {
    const body = part.text.replace(/^---/, '   ')
    // A directive or comment above the first mark is no document.
    if (body.split('\n').every((text) => /^\s*(?:[#%].*|\.\.\.\s*)?$/.test(text))) continue
    const document = parseOne(body, part.line - 1)
    if (document !== undefined) documents.push(document)
  }
  return documents
}

function parseOne(text: string, lineOffset: number): ParsedDocument | undefined {
  const counter = new LineCounter()
  const at = (offset: number | undefined) => {
    const place = counter.linePos(offset ?? 0)
    return { line: Math.max(place.line, 1) + lineOffset, column: Math.max(place.col, 1) }
  }
  try {
    const document = parseDocument(text, {
      lineCounter: counter,
      prettyErrors: false,
      uniqueKeys: false,
      keepSourceTokens: false,
      logLevel: 'silent',
    })
    const error = document.errors[0]
    if (error !== undefined) {
      const place = at(error.pos[0])
      return fault(place.line, place.column, explain[error.code] ?? 'this is not valid YAML')
    }
    if (document.contents === null) return undefined
    const converter = new Converter((node) => at(node.range?.[0]))
    const tree = converter.convert(document.contents, 0, false)
    return { tree, duplicates: converter.duplicates }
  } catch (error) {
    if (error instanceof Refusal) return fault(error.line, error.column, error.message)
    // The parser works recursively: what is nested far too deeply ends here.
    if (error instanceof RangeError) return fault(lineOffset + 1, 1, 'nested too deeply')
    throw error
  }
}

class Refusal extends Error {
  readonly line: number
  readonly column: number

  constructor(place: { line: number; column: number }, message: string) {
    super(message)
    this.line = place.line
    this.column = place.column
  }
}

class Converter {
  readonly duplicates: { key: string; line: number }[] = []
  readonly #at: (node: YamlAst) => { line: number; column: number }
  readonly #anchors = new Map<string, YamlAst>()
  #nodes = 0

  constructor(at: (node: YamlAst) => { line: number; column: number }) {
    this.#at = at
  }

  convert(node: unknown, depth: number, byAlias: boolean): Tree {
    const ast = node as YamlAst
    const place = this.#at(ast)
    if (++this.#nodes > limits.nodes)
      throw new Refusal(place, `more than ${limits.nodes} values in one document (aliases count each time)`)
    if (depth > limits.depth) throw new Refusal(place, `nested more than ${limits.depth} deep`)
    if (isAlias(ast)) {
      const target = this.#anchors.get(ast.source)
      if (target === undefined) throw new Refusal(place, 'an alias to an anchor that is not above it')
      return this.convert(target, depth + 1, true)
    }
    const anchor = (ast as { anchor?: string }).anchor
    if (anchor !== undefined && !byAlias) this.#anchors.set(anchor, ast)
    const { line } = place
    if (isSeq(ast)) {
      return { kind: 'list', items: ast.items.map((item) => this.convert(item, depth + 1, byAlias)), line }
    }
    if (isMap(ast)) return { kind: 'map', entries: this.#entries(ast, depth, byAlias), line }
    if (isScalar(ast)) return { kind: 'scalar', ...scalar(ast), line }
    throw new Refusal(place, 'a value of a kind that resources do not have')
  }

  #entries(map: YAMLMap, depth: number, byAlias: boolean): MapTree['entries'] {
    const own = new Map<string, { line: number; node: Tree }>()
    const merged = new Map<string, { line: number; node: Tree }>()
    for (const pair of map.items) {
      const keyPlace = this.#at(pair.key as YamlAst)
      if (!isScalar(pair.key)) throw new Refusal(keyPlace, 'a key that is no plain text')
      const key = scalar(pair.key).text
      const node: Tree =
        pair.value === null
          ? { kind: 'scalar', text: '', value: null, line: keyPlace.line }
          : this.convert(pair.value, depth + 1, byAlias)
      if (key === '<<' && pair.key.type === Scalar.PLAIN) {
        for (const source of node.kind === 'list' ? node.items : [node]) {
          if (source.kind !== 'map') throw new Refusal(keyPlace, '<< takes a map, or a list of maps')
          for (const [name, entry] of source.entries) if (!merged.has(name)) merged.set(name, entry)
        }
        this.#nodes += merged.size
        continue
      }
      if (own.has(key) && !byAlias) this.duplicates.push({ key, line: keyPlace.line })
      own.set(key, { line: keyPlace.line, node })
    }
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry)
    return own
  }
}

function scalar(node: Scalar): Pick<ScalarTree, 'text' | 'value'> {
  const { value } = node
  if (value === null || value === undefined) return { text: '', value: null }
  if (typeof value === 'string') return { text: value, value }
  const text = node.source ?? String(value)
  return { text, value: typeof value === 'number' || typeof value === 'boolean' ? value : text }
}

/** A value that was handed over as an object. All of it has one line. */
export function treeOf(value: unknown, line: number, depth = 0): Tree {
  if (depth > limits.depth) throw new TypeError(`an inline resource is nested more than ${limits.depth} deep`)
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item) => treeOf(item, line, depth + 1)), line }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return {
      kind: 'map',
      entries: new Map(entries.map(([key, item]) => [key, { line, node: treeOf(item, line, depth + 1) }])),
      line,
    }
  }
  if (value === null || value === undefined) return { kind: 'scalar', text: '', value: null, line }
  const known = typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
  return { kind: 'scalar', text: String(value), value: known, line }
}

/** A value of `spec.metadata` as text: scalars as written, everything else as JSON. */
export function textOf(tree: Tree): string {
  return tree.kind === 'scalar' ? tree.text : jsonOf(tree)
}

function jsonOf(tree: Tree): string {
  if (tree.kind === 'list') return `[${tree.items.map(jsonOf).join(',')}]`
  if (tree.kind === 'map') {
    return `{${Array.from(tree.entries, ([key, { node }]) => `${JSON.stringify(key)}:${jsonOf(node)}`).join(',')}}`
  }
  if (typeof tree.value !== 'number') return JSON.stringify(tree.value)
  // Large numbers keep their digits; what JSON cannot write as a number (`0x1f`, `.5`) becomes one, or text.
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(tree.text)) return tree.text
  return Number.isFinite(tree.value) ? String(tree.value) : JSON.stringify(tree.text)
}

function fault(line: number, column: number, message: string): ParsedDocument {
  return { fault: { line, column, message } }
}

/** The parser's own sentences quote the file, which may hold secrets. */
const explain: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias takes neither anchor nor tag',
  BAD_ALIAS: 'an alias to an anchor that is not above it',
  BAD_COLLECTION_TYPE: 'a tag that does not fit its value',
  BAD_DIRECTIVE: 'a line that begins with % and is no directive',
  BAD_DQ_ESCAPE:
    'an unknown escape in a text between double quotes: write \\\\ for a backslash, or use single quotes',
  BAD_INDENT:
    'wrong indentation (the items of a map or list begin in one column), or a bracket is not closed',
  BAD_PROP_ORDER: 'anchor and tag come before the value',
  BAD_SCALAR_START: 'a text cannot begin with this character: put it between quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a map inside a value on one line: put the value between quotes if it holds a colon',
  BLOCK_IN_FLOW: 'a multi-line block inside brackets',
  IMPOSSIBLE: 'this is not valid YAML',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR: 'a quote, bracket, comma or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines: is a colon or a quote missing?',
  MULTIPLE_ANCHORS: 'a value has two anchors',
  MULTIPLE_DOCS: 'a document ends with ... and another follows without ---',
  MULTIPLE_TAGS: 'a value has two tags',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab in the indentation: use spaces',
  TAG_RESOLVE_FAILED: 'a value that does not fit its tag',
  UNEXPECTED_TOKEN:
    'something is here that YAML does not allow at this place: is a quote or bracket missing, or the indentation wrong?',
}
