import { join } from 'node:path'
import { keepAlive, systemClock } from '@outrigger/host'
import { InvalidArgumentError, type Command } from 'commander'
import { outriggerHome } from '../home.ts'

interface FolderFlag {
  readonly issuerCredentials?: string
}

interface RenewFlags extends FolderFlag {
  readonly validUntil: number
  readonly settle: number
  readonly trustDomain?: string
  readonly namespace?: string
  readonly caRootCertificate?: string
  readonly issuerPublicCertificate?: string
  readonly issuerPrivateKey?: string
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** `outrigger mtls`: the files of the certificate authority. What reads certificates is loaded when it is asked for. */
export function addMtls(program: Command): void {
  const mtls = program.command('mtls').description('Show, export and renew the certificates of sentry')
  const folder = '--issuer-credentials <folder>'
  const about = 'where sentry has its files (default: certs in the .outrigger folder in your home)'
  mtls
    .command('show', { isDefault: true })
    .description('Show the roots and the issuer')
    .option(folder, about)
    .option('--json', 'as JSON', false)
    .action(async (flags: FolderFlag & { json: boolean }) => {
      const { show } = await import('./show.ts')
      print(await show(folderOf(flags), systemClock.now(), flags.json))
    })
  mtls
    .command('expiry')
    .description('Show when the authority expires')
    .option(folder, about)
    .action(async (flags: FolderFlag) => {
      const { expiry } = await import('./show.ts')
      print(await expiry(folderOf(flags), systemClock.now()))
    })
  mtls
    .command('export')
    .description('Copy the files of the authority')
    .option(folder, about)
    .requiredOption('-o, --out <folder>', 'where to write them')
    .action(async (flags: FolderFlag & { out: string }) => {
      const { exportFiles } = await import('./export.ts')
      await exportFiles({ folder: folderOf(flags), out: flags.out, print })
    })
  addRenew(mtls, folder, about)
  mtls
    .command('remove-old-roots')
    .description('Trust only the root of the issuer any more')
    .option(folder, about)
    .action(async (flags: FolderFlag) => {
      const { removeOldRoots } = await import('./renew.ts')
      await removeOldRoots(folderOf(flags), systemClock.now(), print)
    })
}

function addRenew(mtls: Command, folder: string, about: string): void {
  mtls
    .command('renew-certificate')
    .description(
      'Replace root and issuer while everything runs: the old root stays trusted beside the new one',
    )
    .option(folder, about)
    .option('--valid-until <days>', 'for how many days the new ones are valid', days, 365)
    .option('--settle <seconds>', 'how long sentry and the sidecars have to read the new root', seconds, 10)
    .option('--trust-domain <name>', 'of the control plane (default: that of the issuer)')
    .option('--namespace <name>', 'of sentry (default: that of the issuer)')
    .option('--ca-root-certificate <file>', 'a root of yours instead of a new one')
    .option('--issuer-public-certificate <file>', 'with it, an issuer')
    .option('--issuer-private-key <file>', 'and its key')
    .action(async (flags: RenewFlags) => {
      const { readGiven, renew } = await import('./renew.ts')
      const given = await readGiven({
        root: flags.caRootCertificate,
        issuer: flags.issuerPublicCertificate,
        key: flags.issuerPrivateKey,
      })
      await renew({
        folder: folderOf(flags),
        validDays: flags.validUntil,
        trustDomain: flags.trustDomain,
        namespace: flags.namespace,
        given,
        now: systemClock.now(),
        settle: () => wait(flags.settle * 1000),
        print,
      })
    })
}

function folderOf({ issuerCredentials }: FolderFlag): string {
  return issuerCredentials ?? join(outriggerHome(process.env), 'certs')
}

async function wait(ms: number): Promise<void> {
  const letGo = keepAlive()
  await new Promise<void>((resolve) => void systemClock.schedule(ms, resolve))
  letGo()
}

function days(text: string): number {
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number > 0) return number
  throw new InvalidArgumentError('a number of days, from 1')
}

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a number of seconds')
}
