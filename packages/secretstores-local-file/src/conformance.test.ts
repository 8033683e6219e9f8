import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { secretStoreConformance } from '@outrigger/conformance'
import { tempFolder, type TempFolder } from '@outrigger/testkit'
import definition from './index.ts'

const content = { apple: 'a1', database: { user: 'u1', password: 'p1' } }

for (const multiValued of ['false', 'true']) {
  let folder: TempFolder
  secretStoreConformance(definition, {
    properties: async () => {
      folder = await tempFolder()
      const secretsFile = join(folder.path, 'secrets.json')
      await writeFile(secretsFile, JSON.stringify(content))
      return { secretsFile, multiValued }
    },
    capabilities: multiValued === 'true' ? ['multipleKeyValues'] : [],
    secrets:
      multiValued === 'true'
        ? { apple: { apple: 'a1' }, database: content.database }
        : {
            apple: { apple: 'a1' },
            'database:user': { 'database:user': 'u1' },
            'database:password': { 'database:password': 'p1' },
          },
    teardown: () => folder.remove(),
  })
}
