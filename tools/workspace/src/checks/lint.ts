import { isAbsolute, relative } from 'node:path'
import { nxEnv } from '../build.ts'
import { capture, node } from '../run.ts'
import type { Check, Finding } from '../workspace.ts'

export const format: Check = {
  name: 'format',
  async run({ root }) {
    const tool = `${root}/node_modules/oxfmt/bin/oxfmt`
    const { code, stdout, stderr } = await capture(node, [tool, '--list-different'], { cwd: root })
    const files = stdout.split('\n').filter((line) => line !== '')
    if (code !== 0 && files.length === 0) return [crashed('oxfmt', stderr)]
    return files.map((file) => ({ file, message: 'is not formatted', remedy: 'npm run format' }))
  },
}

export const lint: Check = {
  name: 'lint',
  async run({ root }) {
    const tool = `${root}/node_modules/oxlint/bin/oxlint`
    const { code, stdout, stderr } = await capture(node, [tool, '--format=unix'], { cwd: root })
    const findings = stdout.split('\n').flatMap((line): Finding[] => {
      const match = /^(.+?):(\d+):\d+: (.*) \[(?:Error|Warning)\/(.*)\]$/.exec(line)
      if (!match) return []
      const [, file = '', at = '1', message = '', rule = ''] = match
      return [{ file, line: Number(at), message: `${message} (${rule})`, remedy: remedyOf(rule) }]
    })
    if (code !== 0 && findings.length === 0) return [crashed('oxlint', stdout + stderr)]
    return findings
  },
}

function remedyOf(rule: string): string {
  if (rule.includes('max-lines')) return 'split the file by what its parts do'
  if (rule.includes('no-console')) return 'use the logger of the context'
  return 'see the rule; `npx oxlint --fix` mends some'
}

interface EslintResult {
  filePath: string
  messages: { line?: number; message: string }[]
}

export const boundaries: Check = {
  name: 'boundaries',
  async run({ root }) {
    const env = nxEnv()
    // The rule reads the project graph that nx wrote last.
    const nx = `${root}/node_modules/nx/dist/bin/nx.js`
    const graph = await capture(node, [nx, 'show', 'projects'], { cwd: root, env })
    if (graph.code !== 0) return [crashed('nx', graph.stdout + graph.stderr)]
    const eslint = `${root}/node_modules/eslint/bin/eslint.js`
    const { stdout, stderr } = await capture(node, [eslint, '--format=json'], { cwd: root, env })
    const text = stdout.slice(stdout.indexOf('[{'))
    if (!text.startsWith('[')) return [crashed('eslint', stdout + stderr)]
    return boundaryFindings(root, JSON.parse(text) as EslintResult[])
  },
}

export function boundaryFindings(root: string, results: readonly EslintResult[]): Finding[] {
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, message }) => ({
      file: isAbsolute(filePath) ? relative(root, filePath) : filePath,
      line: line ?? 1,
      message: message.split('\n')[0] ?? message,
      remedy: 'see "Who may import whom" in docs/architecture.md',
    })),
  )
}

function crashed(tool: string, output: string): Finding {
  return { file: '.', message: `${tool} did not run:\n${output.trim()}`, remedy: 'mend its configuration' }
}
