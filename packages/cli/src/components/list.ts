import { findComponent } from '@outrigger/runtime'
import { catalogue } from '../generated/catalogue.ts'
import { table } from '../table.ts'

/** The components that this release knows, and which of them can be loaded from here. */
export async function listComponents(searchFrom: readonly string[], asJson: boolean): Promise<string> {
  const rows = await Promise.all(
    catalogue.map(async (entry) => {
      const found = await findComponent(entry.type, { searchFrom })
      return {
        type: entry.type,
        title: entry.title,
        package: entry.package,
        installed: found === undefined ? null : (found.version ?? 'unknown'),
      }
    }),
  )
  if (asJson) return JSON.stringify(rows, null, 2)
  return [
    table(
      ['TYPE', 'INSTALLED', 'PACKAGE', 'TITLE'],
      rows.map((row) => [row.type, row.installed ?? '-', row.package, row.title]),
    ),
    '',
    'Describe one: outrigger components describe TYPE. Install one: outrigger components install TYPE.',
  ].join('\n')
}
