// npm run release:rehearse: packs every package, installs the runtime and one component from the tarballs into
// an empty folder with plain npm, and does there what a newcomer would: the proof of "install only what you need".
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAll } from './src/build.ts'
import { installFromTarballs, packAll } from './src/release/install.ts'
import { useRedis, useWithoutPath } from './src/release/use.ts'
import { root } from './src/run.ts'
import { readWorkspace } from './src/workspace.ts'

const wanted = ['@outrigger/runtime', '@outrigger/state-redis']

async function rehearse(folder: string): Promise<void> {
  const built = await buildAll({ quiet: true })
  if (built.code !== 0) throw new Error('the build failed, see above')
  const workspace = readWorkspace(root)
  const tarballs = join(folder, 'tarballs')
  const application = join(folder, 'application')
  mkdirSync(tarballs)
  mkdirSync(application)
  const packed = await packAll(workspace, tarballs)
  process.stdout.write(`packed ${packed.size} packages\n`)
  const { packages, megabytes } = await installFromTarballs(workspace, packed, wanted, application)
  process.stdout.write(
    `installed ${wanted.join(' and ')}: ${packages} packages, ${megabytes.toFixed(1)} MB\n`,
  )
  const value = await useRedis(application)
  process.stdout.write(`daprd from the tarballs answered ${value}\n`)
  process.stdout.write(`daprd ${await useWithoutPath(application)} starts without PATH\n`)
}

const folder = mkdtempSync(join(tmpdir(), 'outrigger-release-'))
try {
  await rehearse(folder)
} catch (error) {
  process.stderr.write(`The rehearsal failed: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
