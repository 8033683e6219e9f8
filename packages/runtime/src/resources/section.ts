import type { ResourceProblem } from './model.ts'
import { didYouMean } from './did-you-mean.ts'
import { type MapTree, type Tree, textOf } from './yaml.ts'

export type Severity = ResourceProblem['severity']

/** Collects the problems of one document and gives each the same shape. */
export class Report {
  /** `Component "statestore"`, once it is known. */
  subject: string | undefined
  readonly #file: string
  readonly #problems: ResourceProblem[]

  constructor(file: string, problems: ResourceProblem[]) {
    this.#file = file
    this.#problems = problems
  }

  add(severity: Severity, line: number, field: string | undefined, text: string): void {
    const subject = this.subject === undefined ? '' : ` ${this.subject}:`
    const named = field === undefined ? '' : ` ${field}`
    const message = `${this.#file}:${line}:${subject}${named} ${text}`
    this.#problems.push({
      source: { file: this.#file, line },
      resource: this.subject,
      field,
      message,
      severity,
    })
  }
}

/** Thrown when a document cannot be used; the reason has been reported. */
export class Unusable extends Error {}

/** A map of a document, read by name without regard to case, as Go reads JSON. */
export class Section {
  readonly path: string
  readonly line: number
  readonly report: Report
  readonly tree: MapTree
  readonly #byName = new Map<string, { readonly line: number; readonly node: Tree }>()

  constructor(tree: MapTree, path: string, report: Report) {
    this.tree = tree
    this.path = path
    this.line = tree.line
    this.report = report
    for (const [key, entry] of tree.entries) this.#byName.set(key.toLowerCase(), entry)
  }

  /** Warns of every other key. */
  known(names: readonly string[], also: readonly string[] = []): this {
    const all = new Set([...names, ...also].map((name) => name.toLowerCase()))
    for (const [key, { line }] of this.tree.entries) {
      if (all.has(key.toLowerCase())) continue
      this.report.add(
        'warn',
        line,
        this.#field(key),
        `is not a known key and has no effect${didYouMean(key, names)}`,
      )
    }
    return this
  }

  has(name: string): boolean {
    const node = this.#byName.get(name.toLowerCase())?.node
    return node !== undefined && !(node.kind === 'scalar' && node.value === null)
  }

  lineOf(name: string): number {
    return this.#byName.get(name.toLowerCase())?.line ?? this.line
  }

  /** `undefined` when missing or null. */
  get(name: string): Tree | undefined {
    return this.has(name) ? this.#byName.get(name.toLowerCase())?.node : undefined
  }

  section(name: string): Section | undefined {
    const node = this.get(name)
    if (node === undefined) return undefined
    if (node.kind !== 'map') return this.unusable(name, `must be a map, not ${article(node)}`)
    return new Section(node, this.#field(name), this.report)
  }

  list(name: string): readonly Tree[] {
    const node = this.get(name)
    if (node === undefined) return []
    if (node.kind !== 'list') {
      return this.unusable(
        name,
        `must be a list (each item on its own line after a dash), not ${article(node)}`,
      )
    }
    return node.items
  }

  sections(name: string): readonly Section[] {
    return this.list(name).map((node, index) => {
      const path = `${this.#field(name)}[${index}]`
      if (node.kind === 'map') return new Section(node, path, this.report)
      this.report.add('skip', node.line, path, `must be a map, not ${article(node)}`)
      throw new Unusable()
    })
  }

  text(name: string): string | undefined {
    const node = this.get(name)
    if (node === undefined) return undefined
    if (node.kind !== 'scalar') return this.unusable(name, `must be a text, not ${article(node)}`)
    return node.text
  }

  required(name: string, hint: string): string {
    const text = this.text(name)
    if (text !== undefined && text.trim() !== '') return text
    return this.unusable(name, `is missing: ${hint}`)
  }

  bool(name: string): boolean | undefined {
    const text = this.text(name)
    if (text === undefined || text === '') return undefined
    if (/^(?:true|yes|on|y|t|1)$/i.test(text)) return true
    if (/^(?:false|no|off|n|f|0)$/i.test(text)) return false
    return this.unusable(name, 'must be true or false')
  }

  /** A whole number above zero. */
  count(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (/^\d{1,9}$/.test(text)) return Number(text) > 0 ? Number(text) : undefined
    return this.unusable(name, 'must be a whole number')
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((node, index) => {
      if (node.kind === 'scalar') return node.text
      return this.unusable(`${name}[${index}]`, `must be a text, not ${article(node)}`)
    })
  }

  /** A map of texts, names as written. */
  textMap(name: string): Readonly<Record<string, string>> {
    const section = this.section(name)
    if (section === undefined) return {}
    return Object.fromEntries(Array.from(section.tree.entries, ([key, { node }]) => [key, textOf(node)]))
  }

  unusable(name: string, text: string): never {
    this.report.add('skip', this.lineOf(name), this.#field(name), text)
    throw new Unusable()
  }

  #field(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }
}

function article(node: Tree): string {
  if (node.kind === 'map') return 'a map'
  if (node.kind === 'list') return 'a list'
  return typeof node.value === 'number'
    ? 'a number'
    : typeof node.value === 'boolean'
      ? 'a boolean'
      : 'a text'
}
