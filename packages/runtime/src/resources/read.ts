import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readDocument } from './document.ts'
import type { Resource, ResourceProblem } from './model.ts'
import { unbuiltProblems } from './unbuilt.ts'
import { limits, type ParsedDocument, parseDocuments, treeOf } from './yaml.ts'

export interface ReadOptions {
  /** Folders, of which every `*.yaml` and `*.yml` is read in the order of their names, and files. */
  readonly paths: readonly string[]
  /** Resources as objects or as YAML text. Their file is `(inline)`, the line of an object its place in this list. */
  readonly inline?: readonly unknown[] | undefined
  readonly appId: string
  /** Resources of another namespace are left out. Without it, theirs is ignored. */
  readonly namespace?: string | undefined
}

export interface ReadResult {
  /** Those of this application, in the order in which they were found. */
  readonly resources: readonly Resource[]
  readonly problems: readonly ResourceProblem[]
}

/** Reads resource files. Never rejects for what is in them: `problems` says what is wrong and how bad it is. */
export async function readResources(options: ReadOptions): Promise<ReadResult> {
  const { resources: found, problems: reading } = await readEveryResource(options)
  const problems = [...reading]
  const resources = dropDuplicates(
    found.filter((resource) => isMeant(resource, options)),
    problems,
  )
  problems.push(...unbuiltProblems(resources))
  return { resources, problems }
}

/** As `readResources`, for whatever application they are; of several applications, two may have one name. */
export async function readEveryResource(options: Pick<ReadOptions, 'paths' | 'inline'>): Promise<ReadResult> {
  const problems: ResourceProblem[] = []
  const found: Resource[] = []
  const add = (document: ParsedDocument, file: string) => {
    const resource = readDocument(document, file, problems)
    if (resource !== undefined) found.push(resource)
  }
  for (const path of options.paths) {
    for (const file of await filesOf(path, problems)) {
      const text = await readText(file, problems)
      if (text !== undefined) for (const document of parseDocuments(text)) add(document, file)
    }
  }
  for (const [index, item] of (options.inline ?? []).entries()) {
    if (typeof item === 'string') for (const document of parseDocuments(item)) add(document, '(inline)')
    else add({ tree: treeOf(item, index + 1), duplicates: [] }, '(inline)')
  }
  return { resources: found, problems }
}

function isMeant(resource: Resource, options: ReadOptions): boolean {
  const { namespace } = resource
  if (options.namespace !== undefined && namespace !== undefined && namespace !== options.namespace)
    return false
  return resource.scopes.length === 0 || resource.scopes.includes(options.appId)
}

/** Two of one name would make it a matter of luck which is used. Other kinds are not called by name. */
function dropDuplicates(resources: readonly Resource[], problems: ResourceProblem[]): readonly Resource[] {
  const first = new Map<string, Resource>()
  return resources.filter((resource) => {
    const { kind, name, source } = resource
    if (kind !== 'Component' && kind !== 'HTTPEndpoint') return true
    const other = first.get(`${kind} ${name}`)
    if (other === undefined) {
      first.set(`${kind} ${name}`, resource)
      return true
    }
    const there = `${other.source.file}:${other.source.line}`
    const message = `${source.file}:${source.line}: ${kind} "${name}": metadata.name is taken by the ${kind} at ${there}: rename one of them`
    problems.push({
      source,
      resource: `${kind} "${name}"`,
      field: 'metadata.name',
      message,
      severity: 'fatal',
    })
    return false
  })
}

async function filesOf(path: string, problems: ResourceProblem[]): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const names = (await readdir(path)).sort()
    if (names.length > limits.files) {
      problems.push(
        problem(
          path,
          'fatal',
          `has more than ${limits.files} files: give a folder that holds resources only`,
        ),
      )
      return []
    }
    const files: string[] = []
    for (const name of names) {
      if (!/\.ya?ml$/i.test(name)) continue
      const file = join(path, name)
      // A link whose target is gone is reported when it is read.
      const isFolder = await stat(file).then(
        (found) => found.isDirectory(),
        () => false,
      )
      if (!isFolder) files.push(file)
    }
    return files
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${codeOf(error)})`
    problems.push(problem(path, 'fatal', `${reason}: correct --resources-path, or create the folder`))
    return []
  }
}

/** Reads a text file within the limits. What is wrong goes to `problems`. */
export async function readText(
  file: string,
  problems: ResourceProblem[],
  severity: 'skip' | 'fatal' = 'skip',
): Promise<string | undefined> {
  try {
    const found = await stat(file)
    if (!found.isFile()) {
      problems.push(problem(file, severity, 'is no file'))
      return undefined
    }
    if (found.size > limits.bytesOfFile) {
      problems.push(problem(file, severity, `has more than ${limits.bytesOfFile} bytes: split it`))
      return undefined
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    const code = codeOf(error)
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'is not UTF-8'
          : `cannot be read (${code})`
    problems.push(problem(file, severity, reason))
    return undefined
  }
}

function problem(file: string, severity: ResourceProblem['severity'], text: string): ResourceProblem {
  return {
    source: { file, line: 1 },
    resource: undefined,
    field: undefined,
    message: `${file}: ${text}`,
    severity,
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason'
}
