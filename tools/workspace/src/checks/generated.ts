import { staleFiles } from '../generators/index.ts'
import type { Check } from '../workspace.ts'

export const generated: Check = {
  name: 'generated files',
  async run(workspace) {
    const { stale, problems } = await staleFiles(workspace)
    return [
      ...problems,
      ...stale.map(({ file }) => ({ file, message: 'is not up to date', remedy: 'npm run generate' })),
    ]
  },
}
