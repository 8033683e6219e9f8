import type { Flag } from './table.ts'

/** The flags of `--help`, one row each, wrapped to `width`. */
export function renderHelp(table: readonly Flag[], width = 100): string {
  const shown = table.filter((flag) => flag.hidden !== true)
  const heads = shown.map(head)
  const indent = Math.min(40, Math.max(...heads.map((text) => text.length), 0) + 2)
  const lines: string[] = []
  shown.forEach((flag, index) => {
    const text = wrap(describe(flag), Math.max(20, width - indent))
    const first = heads[index]!.padEnd(indent)
    if (first.length > indent) lines.push(first.trimEnd())
    else lines.push((first + (text.shift() ?? '')).trimEnd())
    for (const line of text) lines.push(' '.repeat(indent) + line)
  })
  return `${lines.join('\n')}\n`
}

/** The flags as a table in Markdown. */
export function renderMarkdown(table: readonly Flag[]): string {
  const rows = table
    .filter((flag) => flag.hidden !== true)
    .map((flag) => {
      const fallback = flag.default === undefined || flag.default === '' ? '' : `\`${flag.default}\``
      return [
        `\`--${flag.name}\``,
        flag.type,
        fallback,
        flag.env === undefined ? '' : `\`${flag.env}\``,
        describe(flag, false),
      ]
    })
  const all = [
    ['Flag', 'Type', 'Default', 'Environment', 'Description'],
    ['---', '---', '---', '---', '---'],
    ...rows,
  ]
  return all.map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('')
}

function head(flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `
  return `  ${short}--${flag.name}${flag.type === 'bool' ? '' : ` <${flag.type}>`}`
}

function describe(flag: Flag, inline = true): string {
  const notes: string[] = []
  if (flag.choices !== undefined) notes.push(`one of ${flag.choices.join(', ')}`)
  if (inline && flag.default !== undefined && flag.default !== '' && flag.default !== 'false') {
    notes.push(`default ${flag.default}`)
  }
  if (inline && flag.env !== undefined) notes.push(`env ${flag.env}`)
  if (flag.deprecated !== undefined) notes.push(`deprecated: ${flag.deprecated}`)
  if (flag.unbuilt !== undefined) notes.push(`no effect yet: ${flag.unbuilt} is not built`)
  return notes.length === 0 ? flag.description : `${flag.description} (${notes.join('; ')})`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines
}
