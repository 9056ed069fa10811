// `assay backup`, `assay restore` and `assay upgrade`: what operations do to a home as a whole.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export interface BackupOptions extends HomeOptions {
  readonly out: string
  readonly passphraseFile?: string
  readonly secrets: boolean
  /** MiB a second. */
  readonly rate?: number
  readonly json: boolean
}

export interface RestoreOptions extends HomeOptions {
  readonly id?: string
  readonly passphraseFile?: string
}

export interface BackupVerifyOptions {
  readonly id?: string
}

export interface UpgradeOptions extends HomeOptions {
  readonly check: boolean
  readonly json: boolean
}

export interface BackupActions {
  backup(options: BackupOptions): Promise<number>
  backupVerify(place: string, options: BackupVerifyOptions): Promise<number>
  restore(place: string, options: RestoreOptions): Promise<number>
  upgrade(options: UpgradeOptions): Promise<number>
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

function rate(text: string): number {
  const number = Number(text)
  if (text !== '' && number > 0 && number <= 100_000) return number
  throw new InvalidArgumentError('It is a number above 0: MiB a second.')
}

const idOption = () => new Option('--id <id>', 'one of several in a folder; the newest by default')
const passphraseOption = (what: string) =>
  env('--passphrase-file <file>', what, 'BACKUP_PASSPHRASE_FILE')

export function addBackupCommands(program: Command, actions: Actions, then: Then): void {
  const backups = program
    .command('backup')
    .description('backups of a home: `assay backup` alone takes one')
  backups
    .command('take', { isDefault: true })
    .description('copy a home as of one moment, while a server runs on it or not')
    .requiredOption(
      '--out <place>',
      'folder that keeps one or more backups, each content once, or a new file that ends in .tar',
    )
    .addOption(homeOption())
    .addOption(passphraseOption('encrypt the secrets with the passphrase in this file'))
    .option('--no-secrets', 'leave the signing key and other secrets out')
    .addOption(
      env('--rate <mib>', 'read at most so many MiB a second', 'BACKUP_RATE').argParser(rate),
    )
    .option('--json', 'one JSON object on standard output', false)
    .addHelpText(
      'after',
      examples(
        'assay backup take --out /backups/assay',
        'assay backup --out /backups/assay --rate 50',
        'assay backup --out assay-friday.tar --passphrase-file backup.passphrase',
      ),
    )
    .action(then((options: BackupOptions) => actions.backup(options)))

  backups
    .command('verify')
    .description('read a backup and hold every byte against its hash (exit code 3 if it differs)')
    .argument('<place>', 'folder or .tar file of `assay backup`')
    .option('--id <id>', 'only this one of several in a folder; all by default')
    .addHelpText('after', examples('assay backup verify /backups/assay'))
    .action(
      then((place: string, options: BackupVerifyOptions) => actions.backupVerify(place, options)),
    )

  program
    .command('restore')
    .description('make a home of a backup, in a directory that is not there yet or empty')
    .argument('<place>', 'folder or .tar file of `assay backup`')
    .addOption(homeOption())
    .addOption(idOption())
    .addOption(passphraseOption('the passphrase with which secrets were encrypted'))
    .addHelpText('after', examples('assay restore /backups/assay --home /srv/assay-restored'))
    .action(then((place: string, options: RestoreOptions) => actions.restore(place, options)))

  program
    .command('upgrade')
    .description('say what this version would change in a home, without changing anything')
    .requiredOption('--check', 'look only; `assay start` upgrades')
    .addOption(homeOption())
    .option('--json', 'one JSON object on standard output', false)
    .addHelpText('after', examples('assay upgrade --check --home /srv/assay'))
    .action(then((options: UpgradeOptions) => actions.upgrade(options)))
}
