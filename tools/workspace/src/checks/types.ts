import { capture, node } from '../run.ts'
import type { Check, Finding } from '../workspace.ts'

/** The type check of every file, tests and tools included, as one program. */
export const types: Check = {
  name: 'types',
  async run({ root }) {
    const compiler = `${root}/node_modules/ts7/bin/tsc`
    const args = [compiler, '-p', 'tsconfig.test.json', '--pretty', 'false']
    const { code, stdout, stderr } = await capture(node, args, { cwd: root })
    const findings = stdout.split('\n').flatMap((line): Finding[] => {
      const match = /^(.+?)\((\d+),\d+\): error (.*)$/.exec(line)
      if (!match) return []
      const [, file = '', at = '1', message = ''] = match
      return [{ file, line: Number(at), message, remedy: 'mend the type' }]
    })
    if (code === 0 || findings.length > 0) return findings
    return [
      {
        file: 'tsconfig.test.json',
        message: `tsc did not run:\n${stdout}${stderr}`,
        remedy: 'mend its settings',
      },
    ]
  },
}
